"""Other engines than the local one: whether they can be reached, their jobs, and the end of those."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from corpus.errors import UserError
from corpus.pipelines.beam.options import CLOUD_RUNNERS, PACKAGE_OPTIONS
from corpus.storage import is_remote

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.options import Running

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MAX_ANSWER_SECONDS = 10.0
"""Seconds that a job server may take to answer; Beam itself waits five minutes without a word."""


def check_engine(running: Running, root: str) -> None:
    """Raise UserError if the job server is not there, or if the workers cannot reach the workspace at `root`."""
    if running.local:
        return
    if running.runner in CLOUD_RUNNERS and not is_remote(root):
        raise UserError(
            f"--out {root}: the workers of {running.runner} do not see this machine: name a URL such as gs://BUCKET/PATH"
        )
    if running.runner in CLOUD_RUNNERS and not any(map(running.find_option, PACKAGE_OPTIONS)):
        raise UserError(
            f"the workers of {running.runner} have no package corpus: give --sdk_container_image=IMAGE, of "
            "containers/Dockerfile (docs/engines.md)"
        )
    endpoint = running.find_option("job_endpoint")
    if endpoint is None or endpoint == "embed":
        return
    _check_job_server(endpoint)


def find_missing_pool(running: Running, said: str) -> str | None:
    """Return a line on the worker pool if an engine said that it does not reach it. On `localhost` it is that of each
    machine of the engine, of which this need not be one: so its absence here is no error before."""
    workers = running.find_option("environment_config")
    if running.local or running.find_option("environment_type") != "EXTERNAL" or not workers:
        return None
    host, _, port = workers.rpartition(":")
    # An error may leave out which address refused; one that is named must be this one.
    refused = (
        rf"onnection refused: \S*:{re.escape(port)}\b|:{re.escape(port)}\b[^\n]{{0,40}}onnection refused"
    )
    if not re.search(refused, said) and (re.search(r":\d+", said) or "onnection refused" not in said):
        return None
    where = "on a machine of the engine; each needs one" if host in LOOPBACK else "there"
    return f"--environment_config={workers}: no worker pool answers {where}: start it, or correct the address"


def check_inputs(running: Running, paths: list[str]) -> None:
    """Raise UserError if one of the input files is where the workers of a cloud cannot read it."""
    local = next((path for path in paths if not is_remote(path)), None)
    if running.runner in CLOUD_RUNNERS and local is not None:
        raise UserError(
            f"{local}: the workers of {running.runner} do not see this machine: copy the input to gs://BUCKET/PATH and "
            "name that in the manifest"
        )


def _check_job_server(endpoint: str) -> None:
    import grpc

    what = f"--job_endpoint={endpoint}: no job server"
    _connect(what, endpoint)
    channel = grpc.insecure_channel(endpoint)
    ready = grpc.channel_ready_future(channel)
    try:
        ready.result(timeout=MAX_ANSWER_SECONDS)
    except grpc.FutureTimeoutError:
        ready.cancel()
        raise UserError(f"{what}, but another program answers there: correct the address") from None
    finally:
        channel.close()


def _connect(what: str, address: str) -> None:
    """Raise UserError if nothing listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"{what} can be at {address!r}: HOST:PORT is expected")
    try:
        socket.create_connection((host.strip("[]"), int(port)), MAX_ANSWER_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{what} answers there ({reason}): start it, or correct the address") from None


def run_job(
    pipeline: beam.Pipeline, build: Callable[[beam.Pipeline], Any], begun: Callable[[Any], None]
) -> None:
    """Put the transforms on a pipeline, run it and wait for its end. `begun` gets Beam's result while it runs.

    A job that fails, or whose engine cannot be reached any more, is cancelled.
    """
    build(pipeline)
    result: Any = pipeline.run()
    begun(result)
    try:
        result.wait_until_finish()
    except BaseException:
        cancel_job(result)
        raise


def cancel_job(result: Any) -> None:
    """Cancel the job of a result, if its engine still can."""
    with contextlib.suppress(Exception):
        result.cancel()


def read_engine_error(error: BaseException) -> str:
    """Return the text of an error of an engine; of one of gRPC, what it is about."""
    details = getattr(error, "details", None)
    return str(details() if callable(details) else error)


def describe_job(result: Any) -> str:
    """Return the id of a job; empty for an engine that names none."""
    name = getattr(result, "job_id", None) or getattr(result, "_job_id", "")
    return str(name() if callable(name) else name)
