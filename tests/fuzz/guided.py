"""Fuzzing led by what code a change reaches, with atheris; not part of `make test`.

    pip install atheris
    python -m tests.fuzz.guided wikitext --seconds 120

begins with invented samples, keeps what reaches new lines, and stops at the first exception that is not one of the
documented ones, or after 10 s on one input; the input is in the file that it names.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["corpus"]):
    from corpus.document import Failure, Record
    from corpus.extract import FORMATS, extract_by
    from corpus.formats.archives import read_archive
    from corpus.formats.http import Payload, decode_body
    from corpus.formats.xml import XmlError, parse_tree
    from corpus.sources import source_class
    from tests.damage import arc_pieces, text_of, warc_records, wiki_pieces
    from tests.fuzz.mutations import DOCUMENTED

FOLDER = Path(tempfile.mkdtemp(prefix="corpus-fuzz-"))
SECONDS = 10
TEX = rb"\documentclass{article}\newcommand{\x}[1]{a #1}\begin{document}\section{A}\x{b} $x^2$ \ref{c}\end{document}"
WIKI = """{{Infobox|a=[[b|c]]|d={{e}}}}'''中文''' [[Datei:x.jpg|mini|text]] <ref name=a>b</ref>
== H ==
* a
{| class=x
|-
| a || b
|}
-{zh-hans:简; zh-hant:繁}- {{lang|ar|مرحبا}}""".encode()
HTML = (
    f"<html><head><meta charset=gbk><title>a</title></head><body><p>{text_of(1)}</p><table><tr><td>b".encode()
)
JATS = b"<article><front><article-meta><article-id>1</article-id></article-meta></front><body><p>a</p>"


def read(kind: str) -> Callable[[bytes], None]:
    """Reads a file of these bytes by a source, whole and in splits."""
    source = source_class(kind).model_validate({"kind": kind, "paths": ["input"]})

    def test(body: bytes) -> None:
        path = FOLDER / "input"
        path.write_bytes(body)
        size = len(body)
        for splits in ([(0, size)], source.plan(str(path), size, max(64, size // 2))):
            for start, end in splits:
                for one in source.read(str(path), "input", start, end):
                    assert isinstance(one, Record | Failure) and one.offset >= 0 and one.length >= 0, one

    return test


def parse(media_type: str) -> Callable[[bytes], None]:
    """Parses a record of these bytes."""
    is_text = media_type in ("text/x-wiki", "text/plain")

    def test(body: bytes) -> None:
        given: Any = body.decode("utf-8", "replace") if is_text else body
        record = Record(native_id="a", file="f", offset=0, length=0, media_type=media_type, body=given)
        try:
            extract_by(FORMATS[media_type], record, "fast")
        except RecursionError:
            return
        except Exception as error:
            if type(error).__name__ not in DOCUMENTED:
                raise

    return test


def http(body: bytes) -> None:
    encodings = ("gzip", "br", "deflate", "zstd", "gzip, br")
    said = encodings[body[0] % len(encodings)] if body else ""
    chunked = "chunked" if len(body) % 2 else ""
    found = decode_body(Payload(200, "text/html", "text/html", chunked, said), body[1:], 1 << 20)
    assert found is None or isinstance(found, str) or len(found) <= 1 << 20


def archive(body: bytes) -> None:
    for one in read_archive(io.BytesIO(body), "input", 1 << 20):
        assert one.offset >= 0 and one.length >= 0


def xml(body: bytes) -> None:
    try:
        parse_tree(body)
    except XmlError:
        return


def tar_of(name: str, body: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        header = tarfile.TarInfo(name)
        header.size = len(body)
        out.addfile(header, io.BytesIO(body))
    return packed.getvalue()


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "warc": (
        read("warc"),
        [
            b"".join(warc_records()[:2]),
            b"".join(map(gzip.compress, warc_records()[:2])),
            b"".join(arc_pieces()[:2]),
        ],
    ),
    "dump": (
        read("wikipedia"),
        [b"".join(wiki_pieces()[:3]), b"".join(map(bz2.compress, wiki_pieces()[:3]))],
    ),
    "pubmed": (read("pubmed"), [JATS, tar_of("a.nxml", JATS)]),
    "arxiv": (read("arxiv"), [tar_of("0303/math0303001.gz", gzip.compress(TEX)), gzip.compress(TEX)]),
    "http": (http, [b"\0" + gzip.compress(HTML), b"\0" + b"5\r\nabcde\r\n0\r\n\r\n"]),
    "archive": (archive, [tar_of("../a" * 40, HTML)]),
    "xml": (xml, [b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;&eacute;</a>", JATS]),
    "wikitext": (parse("text/x-wiki"), [WIKI]),
    "latex": (parse("application/x-tex-submission"), [TEX, tar_of("a.tex", TEX)]),
    "html": (parse("text/html"), [HTML]),
    "jats": (parse("application/jats+xml"), [JATS]),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("target", choices=TARGETS)
    arguments.add_argument("--seconds", type=int, default=120)
    given = arguments.parse_args()
    test, seeds = TARGETS[given.target]
    kept = FOLDER / "kept"
    kept.mkdir()
    for number, seed in enumerate(seeds):
        (kept / str(number)).write_bytes(seed)
    limits = [
        f"-max_total_time={given.seconds}",
        f"-timeout={SECONDS}",
        "-max_len=20000",
        "-rss_limit_mb=2000",
    ]
    atheris.Setup([sys.argv[0], str(kept), *limits, f"-artifact_prefix={FOLDER}/"], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
