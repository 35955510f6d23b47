"""Run work on Apache Beam: locally on a pinned engine, or on any runner that Beam options name.

The files, from the options to the worker processes:

    options.py        how a pipeline runs: a runner, or how many local processes a stage gets
    loading.py        import Beam, whole or for local runs
    kept_answers.py   what Beam would work out again and again
    light_pickles.py  steps packed by zlib, not bzip2
    types.py          Beam's transforms with types
    counters.py       Beam's counters, from a step at work
    fanout.py         one string per work item, each done once
    runs.py           packed arrays in Arrow files on one machine
    packed.py         packed record arrays as elements
    shuffle.py        packed arrays to the steps that read them: in runs, or through the engine
    engines.py        other engines: reached or not, their jobs
    remote_work.py    work on their machines: checks, notes, errors
    workers.py        local worker processes, watched
    forked_workers.py ask for them: the process that forks them
    local_worker.py   the main program of that process
"""
