"""arXiv's bulk tars: every submission once whatever the splits, damage placed, nothing that is no TeX read."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.sources.papers.arxiv import Arxiv, month_of, paper_id

TEX = b"\\documentclass{article}\\begin{document}Text.\\end{document}"


def read(path: Path, split_size: int = 1 << 30, **options: object) -> list[Record | Failure]:
    source = Arxiv.model_validate({"kind": "arxiv", "paths": ["x"], **options})
    found: list[Record | Failure] = []
    for start, end in source.plan(str(path), path.stat().st_size, split_size):
        found += source.read(str(path), path.name, start, end)
    return found


def shown(items: list[Record | Failure]) -> list[tuple[str, int, str | None]]:
    return [
        (i.native_id if isinstance(i, Record) else i.error, i.offset, getattr(i, "gate", "failed"))
        for i in items
    ]


def bulk(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        folder = tarfile.TarInfo("2004")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_what_a_bulk_tar_holds(tmp_path: Path) -> None:
    packed = gzip.compress(TEX)
    path = bulk(
        tmp_path / "arXiv_src_2004_001.tar",
        [
            ("2004/2004.00001.gz", packed),
            ("2004/2004.00002.pdf", b"%PDF"),
            ("2004/2004.00003.gz", gzip.compress(b"%!PS-Adobe")),
            ("2004/2004.00004.gz", gzip.compress(b"%auto-ignore\nThis paper has been withdrawn.")),
            ("2004/2004.00005.gz", gzip.compress(bytes(range(256)) * 99)),
            ("2004/2004.00006.gz", b"\x1f\x8b\x08 not gzip"),
            ("2004/math0404007.gz", gzip.compress(TEX)),
        ],
    )
    items = read(path)
    assert shown(items) == [
        ("2004.00001", 512, None),
        ("2004.00002", 1536, "arxiv.pdf_only"),
        ("2004.00003", 2560, "arxiv.no_tex"),
        ("2004.00004", 3584, "arxiv.withdrawn"),
        ("2004.00005", 4608, "arxiv.no_tex"),
        ("2004.00006", 5632, None),
        ("math/0404007", 6656, None),
    ]
    first = items[0]
    assert isinstance(first, Record)
    assert (first.url, first.date, first.group) == (
        "https://arxiv.org/abs/2004.00001",
        "2020-04",
        "arxiv:2004.00001",
    )
    assert first.body == packed and first.license is None
    only = read(bulk(tmp_path / "b.tar", [("2004/2004.00001.gz", bytes(2000))]), max_bytes=1024)
    assert shown(only) == [("2004.00001", 512, "arxiv.size")]


@pytest.mark.parametrize("split_size", [512, 1024, 5000, 1 << 20])
def test_splits_do_not_matter(tmp_path: Path, split_size: int) -> None:
    inner = bulk(tmp_path / "inner.tar", [("2004/2004.99999.gz", gzip.compress(TEX))]).read_bytes()
    path = bulk(
        tmp_path / "a.tar",
        [(f"2004/2004.{n:05}.gz", gzip.compress(TEX * n) + bytes(n * 300)) for n in range(20)]
        + [("2004/2004.00020.pdf", inner), ("2004/2004.00021.gz", gzip.compress(TEX))],
    )
    whole = read(path)
    assert len(whole) == 22 and "2004.99999" not in str(shown(whole))
    assert read(path, split_size) == whole


def test_damage_costs_what_is_damaged(tmp_path: Path) -> None:
    path = bulk(tmp_path / "a.tar", [(f"2004/2004.0000{n}.gz", gzip.compress(TEX)) for n in range(1, 5)])
    data = bytearray(path.read_bytes())
    data[1536 : 1536 + 512] = b"\xff" * 512
    path.write_bytes(data)
    assert shown(read(path)) == [
        ("2004.00001", 512, None),
        ("no tar header where one should be", 1536, "failed"),
        ("2004.00003", 2560, None),
        ("2004.00004", 3584, None),
    ]
    path.write_bytes(data[: 3584 + 530])
    assert shown(read(path))[-1] == ("2004/2004.00004.gz: cut, 18 of 63 bytes", 3584, "failed")
    for cut in range(0, 3584, 700):
        path.write_bytes(data[:cut])
        read(path)


def test_the_manifest_beside_a_tar_tells_a_cut_download(tmp_path: Path) -> None:
    path = bulk(tmp_path / "arXiv_src_2004_001.tar", [("2004/2004.00001.gz", gzip.compress(TEX))])
    manifest = tmp_path / "arXiv_src_manifest.xml"
    manifest.write_text(
        "<arXivSRC><file><filename>src/arXiv_src_2004_001.tar</filename><size>99999</size></file></arXivSRC>"
    )
    first, second = read(path)
    assert isinstance(first, Failure) and isinstance(second, Record)
    assert (
        first.error == f"{path.stat().st_size} bytes, where arXiv_src_manifest.xml says 99999: fetch it again"
    )
    assert read(manifest) == []


def test_single_submissions(tmp_path: Path) -> None:
    one = tmp_path / "2101.00001v2.gz"
    one.write_bytes(gzip.compress(TEX))
    assert shown(read(one)) == [("2101.00001", 0, None)]
    folder = bulk(tmp_path / "paper.tar", [("paper/main.tex", TEX)])
    assert shown(read(folder)) == [("paper.tar\0" + "0", 0, None)]
    empty = tmp_path / "empty.tex"
    empty.write_bytes(b"")
    assert shown(read(empty)) == [("the file is empty", 0, "failed")]


def test_licences_come_from_the_metadata_snapshot(tmp_path: Path) -> None:
    path = bulk(
        tmp_path / "a.tar",
        [(f"2004/2004.0000{n}.gz", gzip.compress(TEX)) for n in range(1, 4)]
        + [("0404/math0404007.gz", gzip.compress(TEX))],
    )
    rows = [
        {
            "id": "2004.00001",
            "title": 'with "license": "no" in it',
            "license": "http://creativecommons.org/licenses/by/4.0/",
        },
        {"id": "2004.00002", "license": None},
        {"id": "math/0404007", "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"},
    ]
    snapshot = tmp_path / "snapshot.json.gz"
    snapshot.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    items = read(path, licenses=str(snapshot), license="mine")
    assert [item.license for item in items if isinstance(item, Record)] == [
        "CC-BY-4.0", "mine", "mine", "arXiv-nonexclusive-distrib-1.0",
    ]  # fmt: skip
    before = Arxiv(kind="arxiv", paths=["x"], licenses=str(snapshot)).parameters()
    assert str(tmp_path) not in json.dumps(before)
    empty = tmp_path / "empty.json"
    empty.write_text("{}\n")
    with pytest.raises(UserError, match="no line with an `id`"):
        read(path, licenses=str(empty))


def test_names_of_papers() -> None:
    names = ("math0303001.gz", "hep-th9901001v2.gz", "0704.0001.gz", "cs.CL0001001.gz", "x.gz")
    assert [paper_id(name) for name in names] == [
        "math/0303001", "hep-th/9901001", "0704.0001", "cs.CL/0001001", None,
    ]  # fmt: skip
    assert [month_of(paper) for paper in ("hep-th/9901001", "0704.0001", "math/0013001")] == [
        "1999-01",
        "2007-04",
        None,
    ]


def test_the_sample_tars(data: Path) -> None:
    found = {path.name: shown(read(path, 100_000)) for path in sorted(data.glob("arxiv/bulk/*.tar"))}
    assert [len(items) for items in found.values()] == [9, 4]
    gates = [gate for items in found.values() for _, _, gate in items]
    assert gates.count("arxiv.pdf_only") == 1 and gates.count("arxiv.no_tex") == 4 and gates.count(None) == 8


def packed_tar(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def test_encrypted_tex_without_any_other_is_no_tex(tmp_path: Path) -> None:
    style, locked, figure = b"\\ProvidesPackage{x}", bytes(range(256)), bytes(300 << 10)
    path = bulk(
        tmp_path / "arXiv_src_0504_001.tar",
        [
            ("0504/math0504001.gz", packed_tar(("imsart.sty", style), ("lnms.tex.cry", locked))),
            ("0504/math0504002.gz", packed_tar(("a.tex.cry", locked), ("论文.tex", TEX))),
            ("0504/math0504003.gz", packed_tar(("a.tex.cry", locked), ("f.eps", figure), ("b.TEX", TEX))),
            ("0504/math0504004.gz", packed_tar(("a.tex.cry", locked), ("f.eps", figure))),
            ("0504/math0504005.gz", packed_tar(("a.sty", style), ("paper", TEX))),
        ],
    )
    gates = [one.gate for one in read(path) if isinstance(one, Record)]
    assert gates == ["arxiv.no_tex", None, None, "arxiv.no_tex", None]
