"""Compare corpora: which one makes the better model of a size and budget. `prepare`, `open_comparison`, `train_all`.

    EXP/experiment.json   everything that decides the result, and the hashes of what went in
    EXP/tokenizer/, EXP/arms/NAME/, EXP/held-out.jsonl   see arms.py, held_out.py
    EXP/runs/SIZE/ARM/seed-N/                            see training_runs.py
    EXP/result.json       verdicts, bits per byte of every run, controls; no times

Two controls come first, at the first size: the first arm against itself with other seeds, which must not resolve, and
against itself with 30 % of its words shuffled, which must.
"""

from __future__ import annotations

from typing import Any

from corpus.experiments.comparison import Experiment
from corpus.experiments.judge import judge, judge_controls
from corpus.experiments.sweep import Sweep


def train_all(experiment: Experiment, sweep: Sweep) -> dict[str, Any]:
    """Train what is not trained yet, the controls first, and return the result; it is written to EXP/result.json."""
    if experiment.options.controls:
        sweep.train(experiment.control_runs())
        for control in judge_controls(experiment).values():
            sweep.say(control["sentence"])
    sweep.train(sweep.runs)
    return sweep.write_result(judge(experiment))
