"""What benchmarks begin with: their options, the folder of the sample data, the Python of the peer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection
from pathlib import Path

from corpus.document import Record
from corpus.formats.encodings import decode

DATATROVE = Path(__file__).parents[2] / ".venv-datatrove" / "bin" / "python"
"""A Python with the packages of peers/datatrove.txt: `make bench` makes it."""
DOLMA = Path(__file__).parents[2] / ".venv-dolma" / "bin" / "dolma"
"""The command of peers/dolma.txt: `make bench` makes it, too."""

PEERS = Path(__file__).parents[2] / ".venv-peers"
"""A folder with the packages of peers/libraries.txt; benchmarks that do without one of them say so."""
sys.path.append(str(PEERS))


def parser(module_doc: str | None) -> argparse.ArgumentParser:
    """Options of a benchmark, whose docstring is its help."""
    return argparse.ArgumentParser(
        description=module_doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def split_names(
    options: argparse.ArgumentParser, option: str, given: str, known: Collection[str]
) -> list[str]:
    """The names that an option gives between commas; an unknown one ends the process with a line that says so."""
    names = given.split(",")
    if unknown := [name for name in names if name not in known]:
        options.error(f"{option} {', '.join(unknown)}: choose from {', '.join(known)}")
    return names


def sample_data() -> Path:
    """CORPUS_DATA; without one the process ends with status 2 and a line that says so."""
    folder = os.environ.get("CORPUS_DATA", "")
    if not Path(folder, "warc").is_dir():
        print("set CORPUS_DATA to the folder of the sample data", file=sys.stderr)
        sys.exit(2)
    return Path(folder)


def decode_page(record: Record) -> str:
    """Return the HTML of a record of a web archive."""
    assert isinstance(record.body, bytes)
    return decode(record.body, record.charset)[0]


def datatrove() -> str:
    """The Python with datatrove; without one the process ends with status 2 and a line that says so."""
    return _find(DATATROVE)


def dolma() -> str:
    """The command `dolma`; without one the process ends with status 2 and a line that says so."""
    return _find(DOLMA)


def _find(program: Path) -> str:
    if not program.exists():
        print(f"{program} is missing: `make bench` makes it", file=sys.stderr)
        sys.exit(2)
    return str(program)
