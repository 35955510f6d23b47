"""A pool of workers from the wheel, in another folder, builds for Beam's own job service: the same bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import RunError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from tests.engines.differences import list_differences
from tests.engines.engines import Running as Engine
from tests.engines.engines import start_job_service
from tests.engines.installed import install_wheel
from tests.engines.processes import stop
from tests.pipelines.small import write_inputs

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
"""The command silences the threads in which Beam reads from an engine that ends."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"), pages=8)


@pytest.fixture
def engine(environment: Path, tmp_path: Path) -> Iterator[Engine]:
    with start_job_service(tmp_path, environment) as running:
        yield running


def test_workers_from_the_wheel_make_the_bytes_of_a_local_build(
    inputs: Path, engine: Engine, tmp_path: Path
) -> None:
    build_workspace(str(inputs), str(tmp_path / "local"), Running())
    build_workspace(str(inputs), str(tmp_path / "out"), Running(extra=tuple(engine.options)))
    assert list_differences(tmp_path / "local", tmp_path / "out") == []
    log = (tmp_path / "pool-localhost.log").read_text()
    assert log.count("Starting worker with command") >= 7


def test_workers_without_the_package_and_an_engine_that_goes_away_end_in_one_line(
    inputs: Path, environment: Path, engine: Engine, tmp_path: Path
) -> None:
    """And a build by the engine's side goes on from the parts."""
    (package,) = environment.glob("lib/python*/site-packages/corpus")
    package.rename(package.with_name("elsewhere"))
    try:
        with pytest.raises(
            RunError, match=r"the workers have no package corpus .*: install the wheel"
        ) as caught:
            build_workspace(str(inputs), str(tmp_path / "out"), Running(extra=tuple(engine.options)))
        assert "\n" not in str(caught.value)
    finally:
        package.with_name("elsewhere").rename(package)

    def end() -> None:
        while not list((tmp_path / "out").glob("documents/*/part-*")):
            if finished.wait(0.02):
                return
        stop(engine.parts["job service"])

    finished = threading.Event()
    threading.Thread(target=end, daemon=True).start()
    try:
        with pytest.raises(Exception, match=r"job_endpoint=.*: no job server answers there") as caught:
            build_workspace(str(inputs), str(tmp_path / "out"), Running(extra=tuple(engine.options)))
        assert "\n" not in str(caught.value)
    finally:
        finished.set()
    made = list((tmp_path / "out").glob("documents/*/part-*"))
    assert made and not (tmp_path / "out" / "tokens").exists()
