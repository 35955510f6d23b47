"""Watch Beam's local worker processes: if one dies, its pipeline fails immediately, and none outlives the pipeline.

Beam's engine waits forever for the data of a dead worker, and for a worker that has not yet asked for work when
the pipeline ends (2.77, and earlier versions). Here every worker is watched; if one ends too early, its unanswered
requests become errors, and the other workers of its pipeline are ended too, including those that start later, so
that the pipeline can be started again from its parts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    BeamFnControlServicer,
    SubprocessSdkWorkerHandler,
    WorkerHandler,
)
from apache_beam.utils.sentinel import Sentinel
from google.protobuf import json_format, text_format

from corpus.errors import RunError
from corpus.pipelines.beam.forked_workers import start_worker

SEEN_SECONDS = 5.0
"""Seconds within which the end of a process is seen after that of its channel, on a busy machine."""
MAX_EXIT_SECONDS = 30.0
"""Seconds that a worker may take to end after the request to do so."""


class Crew:
    """The workers of one pipeline: if one fails, all do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.workers: list[WatchedWorker] = []
        self.failed = ""

    def join(self, worker: WatchedWorker) -> None:
        with self.lock:
            self.workers.append(worker)
            if self.failed:
                worker.fail(self.failed)

    def fail(self, reason: str) -> None:
        with self.lock:
            if not self.failed:
                self.failed = reason
                for worker in self.workers:
                    worker.fail(reason)


@WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
class WatchedWorker(SubprocessSdkWorkerHandler):
    """One worker process and the thread that waits for its end; it replaces Beam's own handler."""

    def start_worker(self) -> None:
        self.told_to_end = False
        # The workers of one pipeline talk to one server.
        self.crew: Crew = vars(self._grpc_server).setdefault("crew", Crew())
        self._push = self.control_conn.push
        # Beam has no other place where a request to a dead worker can be refused.
        self.control_conn.push = self._push_if_alive  # type: ignore[method-assign, assignment]
        self._input_elements = self.data_conn.input_elements
        self.data_conn.input_elements = self._read_elements  # type: ignore[method-assign]
        self.process = start_worker(self._environment())
        self.worker_thread = threading.Thread(name="run_worker", target=self._watch, daemon=True)
        self.worker_thread.start()
        self.crew.join(self)

    def _environment(self) -> dict[str, str]:
        """Return the environment variables that Beam's worker reads at its start."""
        return {
            "WORKER_ID": self.worker_id,
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(
                endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
            ),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(
                self.logging_api_service_descriptor()
            ),
            "PIPELINE_OPTIONS": json_format.MessageToJson(
                self.provision_info.provision_info.pipeline_options
            ),
        }

    def close(self) -> None:
        """Ask the worker to end, and make sure that it does; kill it immediately if it never asked for work."""
        self.told_to_end = True
        waits_for_its_first_request = self.control_conn._state == BeamFnControlServicer.UNSTARTED_STATE
        if waits_for_its_first_request:
            self.process.kill()
        late = threading.Timer(MAX_EXIT_SECONDS, self.process.kill)
        late.start()
        try:
            super().close()
        finally:
            late.cancel()

    def fail(self, reason: str) -> None:
        """Kill the process, and fail every request that it has not answered; the caller holds `crew.lock`."""
        self.process.kill()  # its parts are whole or absent
        for future in list(self.control_conn._futures_by_id.values()):
            # Not `abort`: nobody looks at its exception while they wait for data.
            future.set(
                beam_fn_api_pb2.InstructionResponse(instruction_id=future.instruction_id, error=reason)
            )

    def _push_if_alive(self, request: beam_fn_api_pb2.InstructionRequest | Sentinel) -> object:
        with self.crew.lock:
            if self.crew.failed and request is not BeamFnControlServicer._DONE_MARKER:
                raise RunError(self.crew.failed)
            return self._push(request)

    def _read_elements(self, *names: Any, **options: Any) -> Iterator[Any]:
        """Yield what the worker sends. A closed channel may be seen before the end of the process that closed it."""
        try:
            yield from self._input_elements(*names, **options)
        except RuntimeError as error:
            self.worker_thread.join(SEEN_SECONDS)
            if self.crew.failed:
                raise RunError(self.crew.failed) from error
            raise

    def _watch(self) -> None:
        code = self.process.wait()
        if not self.told_to_end:
            how = f"signal {-code}" if code < 0 else f"exit {code}"
            self.crew.fail(f"a worker process ended before finishing its work ({how})")
