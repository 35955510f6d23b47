"""Train one run of an experiment in a process of its own: `one_run RUN DEVICE PARENT`."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

from corpus.child_process import exit_with_parent
from corpus.errors import RunError, UserError
from corpus.experiments.training_runs import train_run


def main() -> None:
    """Train the run; an error is one line on standard error, and status 1.

    It ends with the process PARENT: whoever repeats a command that was killed finds no run in training.
    """
    exit_with_parent(int(sys.argv[3]))
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    try:
        train_run(Path(sys.argv[1]), sys.argv[2])
    except (UserError, RunError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
