"""Experiments on corpora: which one makes the better model, and what a larger run would reach.

The files, in the order in which an experiment uses them:

    held_out.py         the text that is measured, and documents that contain it
    shuffled.py         damage on purpose, for a control
    arms.py             workspaces, their validation text, a tokenizer for all
    epochs.py           how often each arm reads a source
    arm_shards.py       their training text as shards that differ in nothing else
    comparison.py       what a comparison is: options, arms, runs
    prepare.py          everything but the runs, written
    training_runs.py    the runs: plans, processes, result files
    one_run.py          one run in a process of its own
    sweep.py            the turn of all runs: plans, cost, training, result
    compare.py          arms compared by paired runs, the controls first
    judge.py            what finished runs say: by pair, language and source
    paired.py           a verdict: bootstrap over seeds and pieces, noise, seeds needed
    students_t.py       Student's t and the sign test
    ladder.py           a ladder of runs, a prediction, and its error
    loss_curve.py       L(N, D) by variable projection
    charts.py           charts as SVG and by matplotlib
    experiment_page.py  the page and the picture of a result

Importing this package imports neither torch nor Beam; training_runs.py imports the trainer where it trains.
"""
