"""What the demo sample promises, checked before it is written: likeness of planted copies, difference of the rest."""

from __future__ import annotations

import re

import numpy as np
from sample_web import Builder, Page

SHINGLE = 5
ALIKE = {"exact": (1.0, 1.0), "mirror": (1.0, 1.0), "edited": (0.75, 0.999), "recapture": (0.75, 0.999)}
DIFFERENT = 0.2
_UNSPACED = {"cmn_Hans", "cmn_Hant", "jpn_Jpan", "tha_Thai"}


def shingles(text: str, language: str | None) -> np.ndarray:
    """Sorted 64-bit hashes of runs of 5 words, of 5 characters where words are not spaced."""
    if language in _UNSPACED:
        units = np.frombuffer("".join(text.split()).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    else:
        units = _word_codes(text)
    if len(units) < SHINGLE:
        return np.zeros(0, dtype=np.uint64)
    windows: np.ndarray = np.lib.stride_tricks.sliding_window_view(units, SHINGLE)
    factors = np.uint64(0x9E3779B97F4A7C15) ** np.arange(1, SHINGLE + 1, dtype=np.uint64)
    return np.unique((windows * factors).sum(axis=1, dtype=np.uint64))


def _word_codes(text: str) -> np.ndarray:
    """One 64-bit number a word: a polynomial of its UTF-32 characters, cut at 32."""
    words = np.array(re.findall(r"\w+", text.lower()) or [""], dtype="U32")
    characters = words.view(np.uint32).reshape(len(words), 32).astype(np.uint64)
    factors = np.uint64(0xC2B2AE3D27D4EB4F) ** np.arange(1, 33, dtype=np.uint64)
    codes: np.ndarray = (characters * factors).sum(axis=1, dtype=np.uint64)
    return codes


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Jaccard similarity of two sets of hashes; 0 for two empty ones."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / max(1, len(a) + len(b) - shared)


def check(builder: Builder, pages: list[Page]) -> None:
    """Raise SystemExit with every broken promise, one a line."""
    wrong: list[str] = []
    captures = [(page.url, page.capture) for page in pages]
    wrong += [
        f"{url}: twice in the sample" for url, _ in sorted({c for c in captures if captures.count(c) > 1})
    ]
    sets = {name: shingles(article.text, article.language) for name, article in builder.articles.items()}
    for page in pages:
        if page.kind in ALIKE:
            low, high = ALIKE[page.kind]
            found = similarity(sets[page.article or ""], shingles(page.text or "", page.language))
            if not low <= found <= high:
                wrong.append(
                    f"{page.kind} copy of {page.article}: similarity {found:.3f} not in {low}..{high}"
                )
    names = sorted(sets)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            if builder.articles[name].language == builder.articles[other].language:
                found = similarity(sets[name], sets[other])
                if found > DIFFERENT:
                    wrong.append(f"{name} and {other} are {found:.3f} alike; only planted pairs may be")
    for article in builder.articles.values():
        article.text.encode(article.charset)  # a declared charset can write its page
        if builder.sites[article.site][3] != article.language:
            wrong.append(f"{article.name}: site in another language")
    if wrong:
        raise SystemExit("the sample breaks its promises:\n" + "\n".join(wrong))
