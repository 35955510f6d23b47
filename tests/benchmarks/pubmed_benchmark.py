"""JATS and MEDLINE to text: speed of ours and, if it is installed, of pubmed_parser, interleaved.

    CORPUS_DATA=... python -m tests.benchmarks.pubmed_benchmark

pubmed_parser depends on Unidecode, which is GPL: it is no dependency of ours; install it by hand to compare.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.document import Record
from corpus.extract import extract
from corpus.sources.papers.pubmed import Pubmed
from tests.benchmarks import bench

ROUNDS = 5


def ours(paths: list[Path]) -> int:
    """Characters of text: files cut into records, records into text."""
    source = Pubmed.model_validate({"kind": "pubmed", "paths": ["x"]})
    characters = 0
    for path in paths:
        for record in source.read(str(path), path.name, 0, path.stat().st_size):
            found = extract(record, "fast") if isinstance(record, Record) else None
            characters += len(found.text) if found else 0
    return characters


def theirs(parser: Any) -> Callable[[list[Path]], int]:
    def read(paths: list[Path]) -> int:
        characters = 0
        for path in paths:
            if path.suffix == ".gz":
                for found in parser.parse_medline_xml(str(path), year_info_only=False):
                    characters += len(found["title"] or "") + len(found["abstract"] or "")
            else:
                meta = parser.parse_pubmed_xml(str(path))
                characters += len(meta["full_title"] or "") + len(meta["abstract"] or "")
                characters += sum(
                    len(part["text"]) for part in parser.parse_pubmed_paragraph(str(path), True)
                )
        return characters

    return read


def main() -> None:
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    readers: dict[str, Callable[[list[Path]], int]] = {"corpus": ours}
    try:
        import pubmed_parser
    except ImportError:
        print("pubmed_parser is not installed: left out")
    else:
        readers["pubmed_parser"] = theirs(pubmed_parser)
    folder = data / "pubmed"
    with tempfile.TemporaryDirectory() as made:
        citations = [as_today(path, Path(made)) for path in sorted(folder.glob("medline/*.gz"))]
        compare(readers, {"JATS": sorted(folder.glob("*-jats/*")), "MEDLINE": citations})


def as_today(path: Path, folder: Path) -> Path:
    """A baseline file of before 2017 with the elements of today's, which pubmed_parser expects."""
    xml = gzip.decompress(path.read_bytes()).replace(b"MedlineCitationSet", b"PubmedArticleSet")
    xml = xml.replace(b"<MedlineCitation ", b"<PubmedArticle><MedlineCitation ")
    xml = xml.replace(b"</MedlineCitation>", b"</MedlineCitation><PubmedData/></PubmedArticle>")
    made = folder / path.name
    made.write_bytes(gzip.compress(xml))
    return made


def compare(readers: dict[str, Callable[[list[Path]], int]], corpora: dict[str, list[Path]]) -> None:
    print(f"{'':24}{'MB of XML/s':>12}{'characters':>12}")
    for name, paths in corpora.items():
        size = sum(
            len(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
            for path in paths
        )
        best = dict.fromkeys(readers, float("inf"))
        characters = dict.fromkeys(readers, 0)
        for _ in range(ROUNDS):
            for reader, read in readers.items():
                start = time.process_time()
                characters[reader] = read(paths)
                best[reader] = min(best[reader], time.process_time() - start)
        for reader, seconds in best.items():
            print(f"{name:8} {reader:15}{size / seconds / 1e6:12.1f}{characters[reader]:12,}")


if __name__ == "__main__":
    main()
