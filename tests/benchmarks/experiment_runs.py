"""Raw text against a curated build of it, and what verdicts say where there is nothing to see.

    python -m tests.benchmarks.experiment_corpora DIR
    CORPUS_DATA=... python -m tests.benchmarks.experiment_runs DIR --tokens 1000000 [--runs 40]

compares workspaces of DIR (see experiment_corpora) with both controls: `curated`, `raw` (whole pages, no rules, no
dedup) and `part`, a random part of raw as large as curated. Held out: the Declaration of Human Rights, the Debian
Reference in eleven languages, and the validation documents of all. Then `curated` is trained with as many seeds as
--runs says, and twenty verdicts are drawn from them, each of two times --seeds runs of the same corpus: at most one
should be resolved.

Killed, it goes on, in DIR/compare-SIZE-TOKENS; `--verdicts-only` judges the runs that are done. CPU seconds are those
of this start.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np

from corpus.experiments.arms import Arm
from corpus.experiments.compare import train_all
from corpus.experiments.comparison import CONTROL_SEED, CompareOptions, Experiment
from corpus.experiments.experiment_page import write_page, write_picture
from corpus.experiments.judge import read_measured
from corpus.experiments.paired import compare_pair
from corpus.experiments.prepare import prepare
from corpus.experiments.sweep import Machine, Sweep, open_sweep
from corpus.experiments.training_runs import RunPlan, read_result
from corpus.tokens.options import MixtureOptions
from tests.benchmarks import bench

ARMS = ("curated", "raw", "part")
VERDICTS = 20


def spent() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in use)


def say(line: str) -> None:
    """Print a line with the CPU seconds until now."""
    print(f"{spent():7.0f} CPU s  {line}", flush=True)


def list_null_seeds(experiment: Experiment, runs: int) -> list[int]:
    """Return the seeds of the first arm: those of the comparison and its control, and others up to `runs`."""
    own = [*experiment.seeds, *(seed + CONTROL_SEED for seed in experiment.seeds)]
    return [*own, *(2 * CONTROL_SEED + number for number in range(runs - len(own)))]


def open_runs(experiment: Experiment, plans: list[RunPlan], workers: int) -> Sweep:
    """Return the runs as a sweep that prints a line for each."""

    def finished(run: RunPlan) -> None:
        say(f"{run.size}, {run.name}, seed {run.seed}")

    machine = Machine(device="cpu", workers=workers)
    return open_sweep(experiment.folder, plans, experiment.pieces, machine, finished, say)


def judge_null(experiment: Experiment, seeds: list[int]) -> None:
    """Print verdicts of an arm against itself, drawn from its runs that are done."""
    size, name, count = experiment.options.sizes[0], experiment.arms[0].name, experiment.options.seeds
    done = [seed for seed in seeds if read_result(experiment.run_of(size, name, seed)) is not None]
    if len(done) < 2 * count:
        print(f"{len(done)} runs of {name} are done: a verdict takes {2 * count}")
        return
    generator = np.random.default_rng(0)
    resolved = 0
    for number in range(VERDICTS):
        drawn = generator.permutation(done)[: 2 * count].tolist()
        first, second = (
            read_measured(experiment, size, name, half) for half in (drawn[:count], drawn[count:])
        )
        verdict = compare_pair(first, second, experiment.weights, draw_seed=number)
        resolved += verdict.resolved
        print(f"  {number + 1:2}  {verdict.percent:+.2f} % ({verdict.low:+.2f} to {verdict.high:+.2f})")
    print(f"{name} against itself, {len(done)} runs: {resolved} of {VERDICTS} verdicts resolved")


def main() -> None:
    """Compare, then judge the first arm against itself."""
    parser = bench.parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--size", default="1m")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--arms", default=",".join(ARMS), help="with commas between them")
    parser.add_argument(
        "--runs",
        type=int,
        default=40,
        help="runs of the first arm in all, no fewer than compared; 0: no verdicts on it",
    )
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--held-out-bytes", type=int, default=1_000_000)
    parser.add_argument("--no-controls", action="store_true", help="where they were run at another size")
    parser.add_argument("--neutral-only", action="store_true", help="measure no validation documents")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--verdicts-only", action="store_true", help="train nothing")
    options = parser.parse_args()
    data = bench.sample_data()
    experiment = prepare(
        options.folder / f"compare-{options.size}-{options.tokens}",
        [
            Arm(name=name, workspace=str(options.folder / name), mixture=MixtureOptions(), about=name)
            for name in options.arms.split(",")
        ],
        CompareOptions(
            tokens=options.tokens,
            sizes=(options.size,),
            seeds=options.seeds,
            vocabulary=options.vocabulary,
            neutral=("udhr", str(data / "parallel")),
            validation=not options.neutral_only,
            held_out_bytes=options.held_out_bytes,
            controls=not options.no_controls,
        ),
        say,
    )
    seeds = list_null_seeds(experiment, options.runs) if options.runs else []
    null = [experiment.run_of(options.size, experiment.arms[0].name, seed) for seed in seeds]
    if not options.verdicts_only:
        compared = open_runs(experiment, experiment.runs(), options.workers)
        say(compared.measure_cost().sentence())
        result = train_all(experiment, compared)
        write_page(result, experiment.folder / "report.html")
        write_picture(result, experiment.folder / "report.png")
        for verdict in result["sizes"][options.size]["verdicts"]:
            say(f"{verdict['second']} against {verdict['first']}: {verdict['sentence']}")
        if null:
            more = open_runs(experiment, null, options.workers)
            say(more.measure_cost().sentence())
            more.train(null)
    if seeds:
        judge_null(experiment, seeds)


if __name__ == "__main__":
    main()
