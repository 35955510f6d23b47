"""Run Beam's local worker process, and exit when the process that started it has ended, even during the start.

Beam's own worker waits two minutes for a parent that was killed during the start, and keeps its terminal busy. This
one logs no more than its parent does.
"""

from __future__ import annotations

import logging
import os
import sys

from corpus.child_process import exit_with_parent


def main() -> None:
    """Run Beam's worker for the process whose id is the first argument, with logging disabled up to the second.

    The third is 1 if Beam is imported for local runs alone.
    """
    exit_with_parent(int(sys.argv[1]))
    logging.disable(int(sys.argv[2]))
    if int(sys.argv[2]) >= logging.CRITICAL:  # Beam prints what a worker raised and sends it too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    from corpus.pipelines.beam.loading import keep_pandas_out, load_beam, own_process

    if sys.argv[3] == "1":
        own_process()
    load_beam(local_only=True)
    keep_pandas_out()
    from corpus.pipelines.beam.types import run_worker

    run_worker(sys.argv[:1])
    if parsers := sys.modules.get("corpus.extract.process.supervised"):
        parsers.close_idle_parsers()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # all it made is in its place: no waiting for threads of libraries
