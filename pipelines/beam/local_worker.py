"""A local worker process: Beam's own, which leaves when the process that started it is gone, also before it has begun.

Beam's waits two minutes for a process that was killed while it started, and holds its terminal for so long. It logs
no more than the process that started it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

SECONDS = 0.5


def leave_with(parent: int) -> None:
    """Ends this process soon after `parent`, which started it, has ended."""
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)


def main() -> None:
    """Run Beam's worker for the process whose id is the first argument, with logging disabled up to the second."""
    threading.Thread(target=leave_with, args=(int(sys.argv[1]),), daemon=True).start()
    logging.disable(int(sys.argv[2]))
    if int(sys.argv[2]) >= logging.CRITICAL:  # Beam prints what a worker raised and sends it too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv[:1])
    if parsers := sys.modules.get("corpus.extract.process.supervised"):
        parsers.close_idle()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # all it made is in its place: no waiting for threads of libraries
