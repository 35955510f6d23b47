"""What is wrong with an engine, its workers, or what they can reach, is said in one line before or instead of work."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus.errors import RunError, UserError
from corpus.pipelines.beam import engines, remote_work
from corpus.pipelines.beam.engines import check_engine, check_inputs, find_missing_pool
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.remote_work import (
    VERSIONS_FILE,
    RemoteWork,
    WorkError,
    check_worker,
    find_work_error,
    open_page,
    write_items,
    write_versions,
)
from tests.engines.processes import find_port


def portable(*options: str) -> Running:
    return Running(extra=("--runner=PortableRunner", *options))


def test_a_job_server_that_is_not_there() -> None:
    port = find_port()
    with pytest.raises(
        UserError, match=rf"--job_endpoint=localhost:{port}: no job server answers there \(Connection"
    ):
        check_engine(portable(f"--job_endpoint=localhost:{port}"), "/out")
    with pytest.raises(UserError, match=r"no job server can be at 'somewhere': HOST:PORT is expected"):
        check_engine(portable("--job_endpoint", "somewhere"), "/out")


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a program that takes connections and says nothing."""
    with socket.create_server(("localhost", 0)) as server:
        thread = threading.Thread(target=lambda: [server.accept() for _ in range(3)], daemon=True)
        thread.start()
        yield server.getsockname()[1]


def test_another_program_in_its_place(deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MAX_ANSWER_SECONDS", 0.3)
    with pytest.raises(UserError, match="another program answers there: correct the address"):
        check_engine(portable(f"--job_endpoint=localhost:{deaf}"), "/out")


def test_a_pool_that_an_engine_does_not_reach_is_named() -> None:
    """Not before: the machine of the command may be none of the engine's."""
    here = portable("--environment_type=EXTERNAL", "--environment_config=localhost:50000")
    refused = "java.net.ConnectException: Connection refused: localhost/127.0.0.1:50000"
    wanted = "--environment_config=localhost:50000: no worker pool answers on a machine of the engine; each needs one"
    assert find_missing_pool(here, refused) == f"{wanted}: start it, or correct the address"
    there = portable("--environment_type=EXTERNAL", "--environment_config=pool.example:50000")
    refused = "dial tcp pool.example:50000: connect: connection refused"
    line = find_missing_pool(there, refused) or ""
    assert line.endswith("pool.example:50000: no worker pool answers there: start it, or correct the address")
    assert find_missing_pool(here, "Connection refused: localhost/127.0.0.1:500001") is None
    assert find_missing_pool(here, "java.net.ConnectException: Connection refused") is not None
    other = "Connection refused: jobmanager/10.0.0.1:6123, worker at localhost:50000 started"
    assert find_missing_pool(here, other) is None
    assert find_missing_pool(here, "ArithmeticException: / by zero") is None
    assert find_missing_pool(portable("--environment_type=LOOPBACK"), refused) is None


def test_local_paths_on_an_engine_elsewhere() -> None:
    cloud = Running(extra=("--runner=DataflowRunner", "--project=p"))
    with pytest.raises(
        UserError, match=r"--out /out: the workers of DataflowRunner do not see this machine: name a URL"
    ):
        check_engine(cloud, "/out")
    with pytest.raises(
        UserError, match=r"/crawl/a.warc.gz: the workers of DataflowRunner do not see this machine"
    ):
        check_inputs(cloud, ["gs://bucket/b.warc.gz", "/crawl/a.warc.gz"])
    with pytest.raises(UserError, match=r"have no package corpus: give --sdk_container_image=IMAGE"):
        check_engine(cloud, "gs://bucket/out")
    check_engine(Running(extra=(*cloud.extra, "--sdk_container_image=i")), "gs://bucket/out")
    check_inputs(cloud, ["gs://bucket/b.warc.gz"])


def refused(folder: Path) -> RunError:
    """What the command makes of the error of a worker that looks at a folder, as an engine hands it on."""
    with pytest.raises(WorkError) as caught:
        check_worker(str(folder))
    text = f"Traceback (most recent call last):\n  File \"x.py\"\nWorkError: {caught.value} [while running 'Work']\n"
    for engine_text in (text, json.dumps(text)):
        reason = find_work_error(engine_text)
        assert isinstance(reason, RunError) and "\n" not in str(reason)
    return reason


def test_a_worker_that_does_not_see_the_workspace(tmp_path: Path) -> None:
    line = str(refused(tmp_path / "out" / ".claims-engine" / "1"))
    assert (
        f"does not see {tmp_path}/out: give --out a URL such as s3://BUCKET/PATH, or a folder on a disk"
        in line
    )


@pytest.mark.parametrize(
    ("name", "version"),
    [("numpy", "1.0"), ("apache-beam", "2.70.0"), ("Python", "3.9"), ("code of corpus", "00")],
)
def test_a_worker_with_other_versions(tmp_path: Path, name: str, version: str) -> None:
    """Beam, Python, a library, or the package itself with its models."""
    write_versions(str(tmp_path))
    path = tmp_path / VERSIONS_FILE
    versions = json.loads(path.read_text())
    here = versions[name]
    path.write_text(json.dumps({**versions, name: version}))
    line = str(refused(tmp_path))
    assert (
        f"has {name} {here} (here {version}): install the wheel of this command there (docs/engines.md)"
        in line
    )


def test_a_worker_without_a_module() -> None:
    text = "ModuleNotFoundError: No module named 'corpus.pipelines'\n"
    assert str(find_work_error(text)).startswith(
        "the workers have no package corpus (corpus.pipelines is not found)"
    )
    own = find_work_error("ModuleNotFoundError: No module named 'mylab.signals'\n")
    assert isinstance(own, RunError) and "the workers have no module mylab.signals: install it" in str(own)
    assert find_work_error("java.io.IOException: Insufficient number of network buffers") is None


def fails(item: str) -> Iterator[str]:
    error = FileNotFoundError(2, "No such file or directory", "/models/lid.bin")
    error.add_note("at the records from crawl.warc.gz offset 40 to 80 or the next")
    raise error
    yield item


def test_an_error_at_work_names_split_and_record_and_may_be_tried_again(tmp_path: Path) -> None:
    """A model of the user's that is not there, for one."""
    write_versions(str(tmp_path))
    work = RemoteWork(fails, str(tmp_path))
    with pytest.raises(WorkError) as caught:
        work((0, json.dumps({"source": "web", "name": "00aa"})))
    line = find_work_error(
        f"RuntimeError: {caught.value} [while running 'Ingest/Work']\n  at java.base/Thread.run"
    )
    assert isinstance(line, str)
    assert line.startswith(
        "web/00aa, at the records from crawl.warc.gz offset 40 to 80 or the next: FileNotFoundError"
    )
    assert "/models/lid.bin" in line and "\n" not in line


class OneAtATime:
    """Fails if it is called while it is at work."""

    def __init__(self) -> None:
        self.at_work = 0
        self.most = 0

    def __call__(self, item: str) -> Iterator[str]:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        time.sleep(0.02)
        yield item
        self.at_work -= 1


def test_a_process_works_on_one_item_at_a_time_whatever_the_engine_gives_it(tmp_path: Path) -> None:
    """Engines run bundles in threads of one process, and ICU, encoder and models are not for several."""
    write_versions(str(tmp_path))
    counted = OneAtATime()
    work = RemoteWork(counted, str(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: list(work((number, f"{number}a"))), range(4)))
    assert done == [[f"{number}a"] for number in range(4)]
    assert counted.most == 1
    failing = RemoteWork(fails, str(tmp_path))
    for _ in range(2):  # an error leaves it free for the next
        with pytest.raises(WorkError):
            failing((0, "x"))


def test_items_pass_through_the_workspace_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the job's description is the number of pages, however many input splits there are."""
    monkeypatch.setattr(remote_work, "ITEMS_PER_PAGE", 3)
    write_versions(str(tmp_path))
    assert write_items(str(tmp_path), list("abcdefg")) == 3
    assert [pair for page in range(3) for pair in open_page(page, str(tmp_path))] == list(
        enumerate("abcdefg")
    )
