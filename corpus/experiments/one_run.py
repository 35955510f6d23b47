"""Train one run of an experiment in a process of its own: `python -m corpus.experiments.one_run RUN DEVICE`."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

from corpus.errors import RunError, UserError
from corpus.experiments.training_runs import train_run


def main() -> None:
    """Train the run; an error is one line on standard error, and status 1."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    try:
        train_run(Path(sys.argv[1]), sys.argv[2])
    except (UserError, RunError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
