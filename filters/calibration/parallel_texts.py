"""Read one text in many languages, and cut it into as many passages in each.

```
folder or .tar.xz    NAME.LANGUAGE.txt, LANGUAGE.html, LANGUAGE/NAME.txt, plain or compressed
texts.jsonl          texts.parquet: rows with `text` and `language`, each a passage
```

Passages end where paragraphs do, nearest to equal parts of a text, so that the n-th says the same in every language.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import lxml.etree
import lxml.html
import numpy as np
import pyarrow as pa

from corpus import storage
from corpus.classifier.training_texts import LabelledText, read_texts
from corpus.errors import UserError, shorten_line
from corpus.extract.reflow import reflow
from corpus.filters.calibration.calibration_texts import read_whole_text
from corpus.languages.identify import Identifier
from corpus.languages.names import normalize_label
from corpus.storage import DAMAGE
from corpus.text.units import LETTER, MARK, VISIBLE, kinds, to_units

PASSAGE_CHARACTERS = 2_500
"""Characters of a passage at the median of the languages."""
MAX_PASSAGES = 400
MIN_LETTERS = 0.75
"""Share of the visible characters of a paragraph that are letters in sentences."""

MIN_IDENTIFIED, SURE_SCORE = 25, 0.8
"""Characters of a paragraph whose language is looked at, and the score from which it is surely another."""

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_ENDINGS = re.compile(r"(?P<stem>.+?)\.(?P<kind>txt|html|xhtml)(?:\.(?:gz|bz2|xz|zst))?$", re.IGNORECASE)
_BLANKS = re.compile(r"\n\s*\n")
_BLOCK_NAMES = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "pre", "div")


@dataclass(frozen=True, kw_only=True)
class ParallelTexts:
    """Passages by language label, the share of the paragraphs that were left out since they are in another one (not
    translated), and the files whose names say no language."""

    passages: dict[str, list[str]]
    untranslated: dict[str, float]
    unread: list[str]


def read_parallel_texts(place: str) -> ParallelTexts:
    """Read the texts at a place. Raises UserError where there are none in two languages, and for damaged files."""
    if not storage.exists(place):
        raise UserError(f"--check {place}: nothing is there")
    if re.search(r"\.(jsonl|ndjson|parquet)(\.(gz|bz2|xz|zst))?$", place.lower()):
        return _require_two(_read_rows(place), place)
    texts: dict[str, list[str]] = defaultdict(list)
    unread: list[str] = []
    for name, text in _read_named(place):
        code = find_language(name)
        if code is None:
            unread.append(name)
        elif text.strip():
            texts[Identifier().identify(text[:20_000], code)[0]].append(text)
    untranslated = _leave_out_untranslated(texts)
    sizes = [sum(map(len, parts)) for parts in texts.values()]
    count = int(np.clip(np.median(sizes or [0]) / PASSAGE_CHARACTERS, 1, MAX_PASSAGES))
    passages = {
        label: cut
        for label, parts in sorted(texts.items())
        if (cut := [passage for text in parts for passage in cut_passages(text, max(1, count // len(parts)))])
    }
    return _require_two(ParallelTexts(passages=passages, untranslated=untranslated, unread=unread), place)


def find_language(name: str) -> str | None:
    """Return the language that a file's name states: its last part (`book.zh-cn.txt`), its stem (`deu_1996.html`) or
    its folder (`de/book.txt`); None where none of them is one."""
    folder, base = os.path.split(name)
    match = _ENDINGS.match(base)
    stem = match["stem"] if match else base
    for part in (stem.rpartition(".")[2], stem, stem.partition("_")[0], os.path.basename(folder)):
        try:
            return normalize_label(part)
        except ValueError:
            continue
    return None


def cut_passages(text: str, count: int) -> list[str]:
    """Cut a text between paragraphs into about `count` passages of equal length."""
    paragraphs = split_paragraphs(text)
    if len(paragraphs) < 2 * count:
        paragraphs = [line for line in text.split("\n") if line.strip()]
    if not paragraphs:
        return []
    ends = np.cumsum([len(part) for part in paragraphs])
    wanted = ends[-1] * np.arange(1, count) / count
    places = np.unique([0, *(np.abs(ends[:, np.newaxis] - wanted).argmin(axis=0) + 1), len(paragraphs)])
    return [
        "\n".join(paragraphs[a:b]) for a, b in zip(places[:-1].tolist(), places[1:].tolist(), strict=True)
    ]


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text: blocks with blank lines between them, or lines where it has no blank ones."""
    blocks = [block for block in _BLANKS.split(text) if block.strip()]
    return blocks if len(blocks) > 1 else [line for line in text.split("\n") if line.strip()]


def is_prose(paragraph: str) -> bool:
    """Return whether a paragraph is sentences: no table drawn with signs, command or listing of a program.

    Three in four of its visible characters are letters or marks on them, in any script.
    """
    written = kinds(to_units(paragraph))
    visible = int(np.count_nonzero(written & VISIBLE))
    return visible > 0 and MIN_LETTERS * visible <= int(np.count_nonzero(written & (LETTER | MARK)))


def _read_named(place: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each file, in the order of the names."""
    if place.lower().endswith(_TARS):
        yield from _read_tar(place)
        return
    paths = storage.list_files(place)
    for path in sorted(path for path in paths if _ENDINGS.match(os.path.basename(path))):
        yield path, _to_text(read_whole_text(path), path)


def _read_tar(place: str) -> Iterator[tuple[str, str]]:
    try:
        with closing(storage.open_input(place)) as stream, tarfile.open(fileobj=stream) as archive:
            members = [each for each in archive.getmembers() if each.isfile() and _ENDINGS.match(each.name)]
            for member in sorted(members, key=lambda each: each.name):
                file = archive.extractfile(member)
                assert file is not None
                yield (
                    os.path.basename(member.name),
                    _to_text(file.read().decode("utf-8", "replace"), member.name),
                )
    except (*DAMAGE, tarfile.TarError) as error:
        raise UserError(
            f"--check {place}: cannot be read to its end: {error or type(error).__name__}"
        ) from None


def _to_text(content: str, name: str) -> str:
    """Return the blocks of a page of HTML as lines, or plain text with a paragraph a line."""
    match = _ENDINGS.match(os.path.basename(name))
    if match is None or match["kind"].lower() == "txt":
        return reflow(content, (find_language(name) or "")[:3])
    try:
        page = lxml.html.fromstring(content.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.ParserError, ValueError):
        return ""
    leaves = (
        block
        for block in page.iter(*_BLOCK_NAMES)
        if next(block.iterdescendants(*_BLOCK_NAMES), None) is None
    )
    blocks = (re.sub(r"\s+", " ", block.text_content()).strip() for block in leaves)
    return "\n".join(block for block in blocks if block)


def _leave_out_untranslated(texts: dict[str, list[str]]) -> dict[str, float]:
    """Leave out, in place, paragraphs that are no prose, and those that are surely in another language of the same
    text, as what nobody translated is. Return the share of the prose that this is, by language."""
    identifier = Identifier()
    codes = {label.partition("_")[0] for label in texts}
    shares: dict[str, float] = {}
    for label, parts in texts.items():
        others = codes - {label.partition("_")[0]}
        left_out = total = 0
        for at, text in enumerate(parts):
            kept = []
            for paragraph in filter(is_prose, split_paragraphs(text)):
                total += 1
                if len(paragraph) >= MIN_IDENTIFIED:
                    named, score = identifier.identify(paragraph)
                    if score >= SURE_SCORE and named.partition("_")[0] in others:
                        left_out += 1
                        continue
                kept.append(paragraph)
            parts[at] = "\n\n".join(kept)
        if left_out:
            shares[label] = left_out / total
    return shares


def _read_rows(place: str) -> ParallelTexts:
    passages: dict[str, list[str]] = defaultdict(list)
    for item in _read_or_refuse(place):
        if item.language is None:
            raise UserError(f"--check {place}: a row without a known `language`, which every one needs")
        passages[Identifier().identify(item.text, item.language)[0]].append(item.text)
    return ParallelTexts(passages=dict(sorted(passages.items())), untranslated={}, unread=[])


def _read_or_refuse(place: str) -> Iterator[LabelledText]:
    """Yield the texts of a file. Raises UserError for a Parquet file that is none."""
    try:
        yield from read_texts(place)
    except pa.ArrowInvalid as error:
        raise UserError(f"--check {place}: cannot be read: {shorten_line(str(error))}") from None


def _require_two(texts: ParallelTexts, place: str) -> ParallelTexts:
    if len(texts.passages) < 2:
        raise UserError(
            f"--check {place}: texts in {len(texts.passages)} languages, two are needed: files are named "
            "NAME.LANGUAGE.txt or LANGUAGE.html, rows have a key `language`"
        )
    return texts
