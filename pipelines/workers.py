"""The local worker processes of Beam: where one dies, its pipeline fails at once.

Beam's engine waits for ever for what a dead worker was to send (2.77, and those before it). Here every
worker is watched; when one ends before it was told to, all it owes becomes an error, and the other workers
are ended too, so that the pipeline can be begun again from its parts.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading

from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    BeamFnControlServicer,
    SubprocessSdkWorkerHandler,
    WorkerHandler,
)
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker

from corpus.errors import RunError
from pipelines.stop import descendants

WORKER = b"pipelines.local_worker"
"""What stands in the command line of a worker."""


@WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
class WatchedWorker(SubprocessSdkWorkerHandler):
    """One worker process and the thread that waits for its end. Takes the place of Beam's own."""

    def start_worker(self) -> None:
        self.told_to_end = False
        # `exec`: one process, and no shell that can be killed without it.
        command = f"exec {shlex.quote(sys.executable)} -m {WORKER.decode()} {os.getpid()}"
        self.worker = SubprocessSdkWorker(
            command.encode(), self.control_address, self.provision_info, self.worker_id
        )
        self.worker_thread = threading.Thread(name="run_worker", target=self._watch, daemon=True)
        self.worker_thread.start()

    def close(self) -> None:
        self.told_to_end = True
        super().close()

    def _watch(self) -> None:
        try:
            self.worker.run()
            reason = "it left"
        except Exception as error:
            reason = str(error)
        if not self.told_to_end:
            self._fail(f"a worker process ended before its work ({reason})")

    def _fail(self, reason: str) -> None:
        """Every request that the worker has not answered fails, and so does every later one."""
        connection = self.control_conn
        passed_on = connection.push

        def push(request: object) -> object:
            if request is BeamFnControlServicer._DONE_MARKER:
                return passed_on(request)
            raise RunError(reason)

        connection.push = push
        for future in list(connection._futures_by_id.values()):
            # Not `abort`: nobody looks at its exception while they wait for data.
            future.set(
                beam_fn_api_pb2.InstructionResponse(instruction_id=future.instruction_id, error=reason)
            )
        end_workers()


def end_workers() -> None:
    """Kill the workers of this process: their parts are whole or absent."""
    for process in descendants(os.getpid()):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as command:
                if WORKER in command.read():
                    os.kill(process, signal.SIGKILL)
        except OSError:  # it is gone, or this system has no /proc and the worker leaves by itself
            continue
