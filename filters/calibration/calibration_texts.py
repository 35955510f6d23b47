"""Read the two sides of a calibration: good texts in the language (the reference), and what a crawl gives (the sample).

```
texts.txt                            a text a line, plain or compressed
texts.jsonl  texts.parquet           their columns `text` and, where there is one, `language`
folder                               such files; each .txt in it is one text
DIR                                  every text of a workspace, whatever was decided on it
DIR:source=web,language=tha_Thai     those of a source or a language
```
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from corpus import storage
from corpus.classifier.training_texts import LabelledText, read_texts
from corpus.errors import UserError, shorten_line
from corpus.languages.identify import Identifier
from corpus.languages.labels import labels, language_part, parse_label
from corpus.languages.names import name_language
from corpus.storage import DAMAGE
from corpus.workspace import Workspace

MAX_TEXTS = 5_000
"""Texts of a side that are measured, unless it is said otherwise: those of the smallest hashes."""
MAX_TEXT_CHARACTERS = 100_000
"""Characters of a text that are measured."""
CHECKED_PASSAGES = 200
"""Passages that are identified to see which language a side is in."""
PASSAGE_CHARACTERS = 400
MIN_LANGUAGE_SHARE = 0.5
"""Share of the passages that must be in the language, or in one that models confuse with it."""

CLOSE_LANGUAGES = (
    frozenset({"cmn", "yue", "wuu", "lzh", "gan", "hak", "nan"}),
    frozenset({"hrv", "bos", "srp", "cnr", "hbs"}),
    frozenset({"ind", "zsm", "msa", "min"}),
    frozenset({"nob", "nno", "dan", "nor"}),
    frozenset({"hin", "mai", "bho", "awa", "mag", "nep", "mar"}),
    frozenset({"por", "glg"}),
    frozenset({"ces", "slk"}),
    frozenset({"spa", "ast", "arg"}),
    frozenset({"arb", "arz", "ary", "apc", "ars", "acm"}),
    frozenset({"fas", "prs"}),
    frozenset({"bod", "dzo"}),
)
"""Languages whose texts are taken for one another."""

_QUERY = re.compile(r"(?P<root>.+?):(?P<wanted>[a-z]+=[^/\\:]*)")
_KEYS = ("source", "language")


@dataclass(frozen=True, kw_only=True)
class Side:
    """Texts of one side of a calibration, in the order of their hashes.

    `name` is what they were read from, without folders; `other` counts texts that are stated to be in other languages,
    `left_out` those beyond the limit; `digest` is of the texts.
    """

    name: str
    texts: list[str]
    other: int
    left_out: int
    digest: str


NO_TEXTS = Side(name="none", texts=[], other=0, left_out=0, digest="")
"""The sample of a calibration that has none."""


def gather_texts(place: str, language: str, limit: int = MAX_TEXTS) -> Side:
    """Read the texts at a place that are in a language or state none: at most `limit` different ones.

    Raises UserError where there is nothing, for damaged input, and where no text is in the language.
    """
    heap: list[tuple[int, str]] = []
    seen: set[int] = set()
    other: Counter[str] = Counter()
    for item in _read_or_refuse(place):
        text = item.text[:MAX_TEXT_CHARACTERS].strip()
        if not text:
            continue
        if item.language is not None and not is_stated_in(item.language, language):
            other[item.language] += 1
            continue
        rank = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        if rank in seen:
            continue
        seen.add(rank)
        if len(heap) < limit:
            heapq.heappush(heap, (-rank, text))
        else:
            heapq.heappushpop(heap, (-rank, text))
    if not heap:
        most = ", ".join(f"{name} ({count:,})" for name, count in other.most_common(3))
        there = f"only in {most}" if other else "no text at all"
        raise UserError(f"{place}: no text in {language}: {there}")
    heap.sort(reverse=True)
    digest = hashlib.blake2b(b"".join((-rank).to_bytes(8, "big") for rank, _ in heap), digest_size=8)
    return Side(
        name=_name_place(place),
        texts=[text for _, text in heap],
        other=other.total(),
        left_out=len(seen) - len(heap),
        digest=digest.hexdigest(),
    )


def read_calibration_texts(place: str) -> Iterator[LabelledText]:
    """Yield the texts at a place, written as at the top of this module. Raises UserError as `read_texts` does."""
    match = _QUERY.fullmatch(place)
    root = match["root"] if match else place
    if storage.exists(storage.join(root, "workspace.json")):
        return _read_workspace(root, match["wanted"] if match else "")
    if not storage.is_remote(place) and os.path.isdir(storage.local_path(place)):
        return _read_folder(place)
    return read_texts(place)


def _read_or_refuse(place: str) -> Iterator[LabelledText]:
    """Yield the texts at a place. Raises UserError for a Parquet file that is none."""
    try:
        yield from read_calibration_texts(place)
    except pa.ArrowInvalid as error:
        raise UserError(f"{place}: cannot be read: {shorten_line(str(error))}") from None


def is_stated_in(stated: str, language: str) -> bool:
    """Return whether a label, code or tag is that of a language label: `zh` of `cmn_Hans`, `zh-TW` not."""
    parsed = parse_label(stated)
    if parsed is None or parsed[0] != language_part(language):
        return False
    script = language.partition("_")[2]
    return not script or parsed[1] in (None, script)


def complete_label(language: str, side: Side) -> str:
    """Return the label of a language with its script: that of most of the texts where it is not given."""
    if "_" in language:
        return language
    named = Counter(Identifier().identify(text, language)[0] for text in side.texts[:CHECKED_PASSAGES])
    return named.most_common(1)[0][0]


def check_language(side: Side, language: str, option: str) -> float | None:
    """Return the share of the passages that models find in the language; None where no model knows it.

    Raises UserError if that is less than half: a reference in another language would calibrate that one.
    """
    code = language_part(language)
    if code not in labels().nameable:
        return None
    identifier = Identifier()
    named = Counter(identifier.identify(passage)[0] for passage in _join_passages(side.texts))
    close = next((group for group in CLOSE_LANGUAGES if code in group), frozenset({code}))
    script = language.partition("_")[2]
    right = sum(
        count
        for label, count in named.items()
        if language_part(label) in close and (not script or label.partition("_")[2] == script)
    )
    share = right / named.total()
    if share < MIN_LANGUAGE_SHARE:
        label, count = named.most_common(1)[0]
        title = name_language(label) or label
        raise UserError(
            f"{option} {side.name}: not in {language}: {count / named.total():.0%} of its passages are in {label} "
            f"({title})"
        )
    return share


def _join_passages(texts: Iterable[str]) -> list[str]:
    """Return passages long enough to be identified: short texts are joined."""
    passages: list[str] = []
    held = ""
    for text in texts:
        held = f"{held}\n{text[: 4 * PASSAGE_CHARACTERS]}" if held else text[: 4 * PASSAGE_CHARACTERS]
        if len(held) >= PASSAGE_CHARACTERS:
            passages.append(held)
            held = ""
        if len(passages) == CHECKED_PASSAGES:
            return passages
    return [*passages, held] if held and not passages else passages


def _name_place(place: str) -> str:
    match = _QUERY.fullmatch(place)
    root, wanted = (match["root"], f":{match['wanted']}") if match else (place, "")
    return os.path.basename(storage.local_path(root).rstrip("/")) + wanted


def _read_folder(place: str) -> Iterator[LabelledText]:
    """Yield the texts of a folder: each .txt is one, other files hold a text a line or a row."""
    paths = storage.list_files(place)
    others = [path for path in paths if _bare_ending(path) in (".jsonl", ".ndjson", ".parquet")]
    plain = [path for path in paths if _bare_ending(path) == ".txt"]
    if not plain and not others:
        yield from read_texts(place)
    for path in plain:
        yield LabelledText(read_whole_text(path))
    for path in others:
        yield from read_texts(path)


def read_whole_text(path: str) -> str:
    """Return a file as one text, decompressed. Raises UserError if it is damaged."""
    try:
        with storage.open_decompressed(path) as stream:
            return stream.read().decode("utf-8-sig", "replace")
    except DAMAGE as error:
        raise UserError(f"{path}: cannot be read to its end: {error or type(error).__name__}") from None


def _bare_ending(path: str) -> str:
    return os.path.splitext(re.sub(r"\.(gz|bz2|xz|zst)$", "", path.lower()))[1]


def _read_workspace(root: str, wanted: str) -> Iterator[LabelledText]:
    """Yield every document of a workspace that has a text, of a source or a language if `wanted` names one."""
    workspace = Workspace.open(root)
    query: dict[str, str] = {}
    for pair in filter(None, wanted.split(",")):
        key, _, value = pair.partition("=")
        if key not in _KEYS or not value:
            raise UserError(f"{root}:{wanted}: expected source=NAME or language=LABEL, not {pair!r}")
        query[key] = value
    sources = sorted({source for source, _ in workspace.splits()})
    if sources and query.get("source", sources[0]) not in sources:
        raise UserError(f"{root} has no source {query['source']!r}: it has {', '.join(sources)}")
    for batch in workspace.documents().to_batches(columns=["text", "language", "source"]):
        for row in batch.to_pylist():
            if row["text"] and query.get("source", row["source"]) == row["source"]:
                language = row["language"]
                if "language" not in query or (language and is_stated_in(language, query["language"])):
                    yield LabelledText(row["text"], language)
