"""Remote files: every byte in its place whatever the server does, or one line that says why not."""

from __future__ import annotations

import gzip
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from corpus import storage
from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.sources.input_split import plan_splits
from corpus.sources.inputs import list_files
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.web.warc import Warc
from corpus.storage.fingerprint import file_identity
from tests.sources.warc_test import PAGES, write_warc
from tests.storage import stores
from tests.storage.http_server import Site, serving

CONTENT = random.Random(7).randbytes(1_000_000)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("CORPUS_REMOTE_WAIT", "0.001")
    monkeypatch.setenv("CORPUS_REMOTE_TRIES", "4")
    monkeypatch.setenv("CORPUS_REMOTE_SILENCE", "2")
    with serving() as found:
        found.files["/file"] = CONTENT
        yield found


def read(site: Site, path: str = "/file") -> bytes:
    with storage.open_input(site.url + path) as stream:
        return stream.read()


@pytest.mark.parametrize(
    "fault",
    ["503", "500", "403", "429 retry-after=0", "reset 30000", "reset 0", "short 30000", "less 500", "length"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_fault_is_passed_over_at_the_byte_where_it_was(site: Site, fault: str, times: int) -> None:
    with storage.open_input(site.url + "/file") as stream:
        site.faults["/file"] = [fault] * times
        assert stream.read() == CONTENT
    assert not site.faults["/file"]
    if fault.startswith("short"):  # a reset may take back what was on its way
        resumed = [wanted for _, wanted in site.asked if wanted and wanted.startswith("bytes=30000-")]
        assert resumed, "it went on where the body had ended"
        assert site.sent["/file"] == len(CONTENT) + 1  # and the byte that told its size


@pytest.mark.parametrize("fault", ["503", "reset 200000", "short 200000"])
def test_a_server_without_ranges_is_read_from_the_beginning(site: Site, fault: str) -> None:
    site.ranges = False
    with storage.open_input(site.url + "/file") as stream:
        site.faults["/file"] = [fault]
        assert stream.read(10) == CONTENT[:10]
        stream.seek(900_000)
        assert stream.read(7) == CONTENT[900_000:900_007]
        stream.seek(5)
        assert stream.read() == CONTENT[5:]


def test_a_redirect_is_followed(site: Site) -> None:
    assert read(site, "/moved/file") == CONTENT


def test_an_empty_file_is_empty(site: Site) -> None:
    site.files["/empty"] = b""
    assert read(site, "/empty") == b""
    assert storage.size(site.url + "/empty") == 0


def test_retry_after_is_obeyed(site: Site) -> None:
    with storage.open_input(site.url + "/file") as stream:
        site.faults["/file"] = ["429 retry-after=1"]
        began = time.monotonic()
        stream.read(1)
        assert 1 <= time.monotonic() - began < 5


def test_who_asks_for_too_much_patience_is_given_up_at_once(site: Site) -> None:
    site.always["/file"] = "503 retry-after=86400"
    began = time.monotonic()
    with pytest.raises(storage.RemoteError, match=r"503.*\(1 try, and it asks to wait 86,400 s\)"):
        read(site)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("503", r"/file: the server answers 503.* \(4 tries\)"),
        ("403", r"/file: the server answers 403.* \(4 tries\)"),
        ("401", r"/file: the server answers 401"),
        ("reset 0", r"/file: .*\(4 tries\)"),
    ],
)
def test_what_stays_out_of_reach_is_one_line(site: Site, fault: str, message: str) -> None:
    with storage.open_input(site.url + "/file") as stream:
        site.always["/file"] = fault
        with pytest.raises(storage.RemoteError, match=message) as caught:
            stream.read()
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_not_there_is_not_tried_again(site: Site) -> None:
    with pytest.raises(FileNotFoundError):
        read(site, "/gone")
    assert len(site.asked) == 1
    assert not storage.exists(site.url + "/gone")


def test_a_file_that_changes_while_it_is_read_is_refused(site: Site) -> None:
    with storage.open_input(site.url + "/file") as stream:
        stream.read(10)
        site.always["/file"] = "other"
        with pytest.raises(storage.RemoteError, match="changed while it was read"):
            stream.read()


@pytest.mark.parametrize("fault", ["stall 30000", "page"])
def test_a_body_that_stalls_and_a_page_instead_of_a_range_are_passed_over(
    site: Site, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_REMOTE_SILENCE", "0.2")
    with storage.open_input(site.url + "/file") as stream:
        site.faults["/file"] = [fault, fault]
        assert stream.read() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_body_that_comes_byte_by_byte_is_given_up(
    site: Site, ranges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_REMOTE_PATIENCE", "0.3")
    site.ranges = ranges
    with storage.open_input(site.url + "/file") as stream:
        site.always["/file"] = "trickle"
        with pytest.raises(
            storage.RemoteError, match=r"/file: at byte \d+, \d+ bytes came in \d s: too slow"
        ):
            stream.read()


def test_a_file_that_changes_under_a_server_without_ranges_is_refused(site: Site) -> None:
    site.ranges = False
    with storage.open_input(site.url + "/file") as stream:
        site.faults["/file"] = ["short 700000", "other"]
        with pytest.raises(storage.RemoteError, match="it changed while it was read"):
            stream.read()


def test_an_object_that_changes_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_REMOTE_WAIT", "0.01")
    with stores.s3() as store:
        path = f"{store.root}/文.bin"
        storage.write_bytes(path, CONTENT)
        with storage.open_input(path) as stream:
            assert stream.read(100_000) == CONTENT[:100_000]
            storage.write_bytes(path, CONTENT[::-1])
            with pytest.raises(storage.RemoteError, match="it changed while it was read"):
                stream.read()
        assert storage.read_range(path, 5, 500_000) == CONTENT[::-1][5:500_000]
        for absent in (f"{store.root}/none", "s3://no-such-bucket/file"):
            with pytest.raises(FileNotFoundError):
                storage.open_input(absent)


def test_looking_at_a_head_costs_little_and_reading_on_few_requests(site: Site) -> None:
    site.files["/large"] = bytes(40 << 20)
    with storage.open_input(site.url + "/large") as stream:
        stream.read(6)
        assert site.sent["/large"] <= 65 << 10
        stream.read()
    assert len(site.asked) <= 14


def test_a_warc_is_read_by_ranges_and_through_faults(site: Site, tmp_path: Path) -> None:
    offsets = write_warc(tmp_path / "a.warc.gz", PAGES)
    site.files["/a.warc.gz"] = (tmp_path / "a.warc.gz").read_bytes()
    source = Warc(paths=["x"])
    (file,) = list_files([f"{site.url}/a.warc.gz"], "/")
    splits = plan_splits("s", source, [file], 500)
    assert len(splits) > 1
    site.faults["/a.warc.gz"] = ["503", "reset 100", "429 retry-after=0", "short 300", "503"]
    found = [r for s in splits for r in source.read(s.path, s.file, s.start, s.end)]
    assert [(r.url, r.offset) for r in found if isinstance(r, Record)] == list(
        zip(PAGES, offsets, strict=True)
    )
    assert not site.faults["/a.warc.gz"]


def test_a_warc_that_breaks_for_good_keeps_what_came_and_names_the_rest(site: Site, tmp_path: Path) -> None:
    noise = random.Random(3)
    pages = {f"https://example.org/{n}": f"<p>{noise.randbytes(30_000).hex()}</p>" for n in range(8)}
    write_warc(tmp_path / "a.warc.gz", pages)
    content = (tmp_path / "a.warc.gz").read_bytes()
    site.files["/a.warc.gz"] = content
    records = Warc(paths=["x"]).read(f"{site.url}/a.warc.gz", "a.warc.gz", 0, len(content))
    assert isinstance(next(records), Record)
    site.always["/a.warc.gz"] = "503"
    rest: list[Record | Failure] = []
    with pytest.raises(storage.RemoteError, match="503"):
        rest.extend(records)


def test_a_list_of_common_crawl_is_read_where_it_lies(site: Site) -> None:
    lines = [f"crawl-data/CC-MAIN-2026-01/segments/{n}/warc/a.warc.gz" for n in (1, 2)]
    for line in lines:
        site.files[f"/{line}"] = line.encode()
    site.files["/crawl-data/CC-MAIN-2026-01/warc.paths.gz"] = gzip.compress("\n".join(lines).encode())
    found = list_files([f"@{site.url}/crawl-data/CC-MAIN-2026-01/warc.paths.gz"], "/")
    assert [(file.path, file.name) for file in found] == [(f"{site.url}/{line}", line) for line in lines]


def test_a_local_list_starts_from_the_base(site: Site, tmp_path: Path) -> None:
    (tmp_path / "warc.paths.gz").write_bytes(gzip.compress(b"file\n"))
    (found,) = list_files(["@warc.paths.gz"], str(tmp_path), site.url + "/")
    assert (found.path, found.name, found.size) == (f"{site.url}/file", "file", len(CONTENT))


def test_planning_reads_no_file(site: Site) -> None:
    for n in range(20):
        site.files[f"/{n}.jsonl"] = b'{"text": "x"}\n' * 100_000
    site.files["/list"] = "".join(f"{n}.jsonl\n" for n in range(20)).encode()
    splits = plan_splits("s", Jsonl(paths=["x"]), list_files([f"@{site.url}/list"], "/"), 1 << 20)
    assert len(splits) == 40
    assert sum(site.sent.values()) < 20 * (70 << 10)


def test_the_identity_of_a_file_is_what_the_server_says_of_its_content(site: Site) -> None:
    url = f"{site.url}/file"
    before = file_identity(storage.stat(url, "file"))
    assert file_identity(storage.stat(url, "file")) == before
    site.files["/file"] = CONTENT[::-1]
    assert file_identity(storage.stat(url, "file")) != before


def test_files_of_a_list_that_cannot_be_read_are_named_and_the_others_read(site: Site) -> None:
    site.files["/list"] = b"file\ngone.jsonl\nrefused.jsonl\n"
    site.files["/refused.jsonl"] = b""
    site.always["/refused.jsonl"] = "403"
    files = list_files([f"@{site.url}/list"], "/")
    assert [(file.name, bool(file.error)) for file in files] == [
        ("file", False),
        ("gone.jsonl", True),
        ("refused.jsonl", True),
    ]
    splits = plan_splits("s", Jsonl(paths=["x"]), files, 1 << 30)
    assert [split.identity == "unreadable" for split in splits] == [False, True, True]
    assert "no such file, though its list names it" in str(splits[1].error)
    assert "the server answers 403" in str(splits[2].error)


@pytest.mark.parametrize(
    ("pattern", "fault", "message"),
    [
        ("/gone.jsonl", "", "no such file: http"),
        ("/file", "503", r"the server answers 503.*\(4 tries\)"),
        ("@/list", "503", r"cannot read the list .*the server answers 503"),
        ("@/gone", "", "cannot read the list .*no such file"),
    ],
)
def test_a_listing_that_fails_is_one_line(site: Site, pattern: str, fault: str, message: str) -> None:
    site.always["/file"] = site.always["/list"] = fault
    pattern = "@" + site.url + pattern[1:] if pattern.startswith("@") else site.url + pattern
    with pytest.raises(UserError, match=message) as caught:
        list_files([pattern], "/")
    assert len(str(caught.value).splitlines()) == 1


def test_nobody_at_the_other_end_is_one_line(site: Site) -> None:
    with pytest.raises(UserError, match=r"Cannot connect to host 127\.0\.0\.1:9.*\(4 tries\)"):
        list_files(["http://127.0.0.1:9/a.jsonl"], "/")


def test_an_address_that_nobody_knows_is_one_line() -> None:
    with pytest.raises(UserError, match="Protocol not known: nothing"):
        storage.exists("nothing://host/file")


@pytest.mark.parametrize(
    "path", ["s3://bucket/file", pytest.param("gs://bucket/file", marks=pytest.mark.soak)]
)
def test_a_store_that_takes_a_request_and_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """gcsfs alone would wait for ever; between its own six tries it waits half a minute."""
    monkeypatch.setenv("CORPUS_REMOTE_WAIT", "0.001")
    monkeypatch.setenv("CORPUS_REMOTE_TRIES", "1")
    monkeypatch.setenv("CORPUS_REMOTE_SILENCE", "0.3")
    with socket.create_server(("127.0.0.1", 0)) as server:  # it listens, and nobody looks
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        options = {
            "endpoint_url": url,
            **({"token": "anon"} if path[0] == "g" else {"key": "a", "secret": "b"}),
        }
        monkeypatch.setitem(fsspec.config.conf, path.partition("://")[0], options)
        began = time.monotonic()
        with pytest.raises(storage.RemoteError, match=path):
            storage.exists(path)
        assert time.monotonic() - began < 60
