"""Evaluation items as they get into pages: whole, reworded, in other forms, scripts and orders."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

from corpus.data import data_path
from corpus.decontamination.item_layouts import EvaluationItem

WAYS = {
    "whole": "whole",
    "edges": "edges of the question reworded",
    "forms": "punctuation, case and width changed",
    "scripts": "Hans as Hant and the reverse",
    "options": "options in another order, without labels",
    "question": "the question alone",
}
EDGE = 0.15


def split_words(text: str) -> list[str]:
    """Words of spaced text, single characters of Chinese, and all that is between them."""
    return re.findall(r"[㐀-鿿]|[^\W㐀-鿿]+|\W+", text)


def render(item: EvaluationItem, *, labels: bool = True) -> str:
    options = [
        f"{'ABCDEFGHIJ'[at]}. {option}" if labels else f"- {option}" for at, option in enumerate(item.options)
    ]
    return "\n".join(filter(None, [item.passage, item.question, *options, item.answer]))


def reword_edges(item: EvaluationItem, page: str, draw: random.Random) -> EvaluationItem:
    words = split_words(item.question)
    places = [at for at, word in enumerate(words) if word.strip() and word[0].isalnum()]
    others = [word for word in split_words(page) if word.isalpha() and len(word) > 1] or ["word"]
    han = [word for word in split_words(page) if re.fullmatch(r"[㐀-鿿]", word)]
    some = list("这里另有些别的话要说明以及其中若干处")
    count = max(1, round(EDGE * len(places))) if len(places) > 4 else 0
    for at in {*places[:count], *places[max(0, len(places) - count) :]}:
        pool = (han or some) if re.fullmatch(r"[㐀-鿿]", words[at]) else others
        words[at] = draw.choice(pool)
    return EvaluationItem(
        name=item.name,
        question="".join(words),
        options=item.options,
        answer=item.answer,
        passage=item.passage,
    )


WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
MARKS = str.maketrans(
    {
        "，": ", ",
        "。": ". ",
        "？": "?",
        "“": '"',
        "”": '"',
        "’": "'",
        "（": " (",
        "）": ") ",
        ",": " ",
        ";": ":",
    }
)


def change_forms(text: str, draw: random.Random) -> str:
    text = text.translate(MARKS) if draw.random() < 0.7 else re.sub(r"[^\w\s]", " ", text)
    changes: list[Callable[[str], str]] = [str.upper, str.title, str]
    text = draw.choice(changes)(text)
    return text.translate(WIDE) if draw.random() < 0.5 else unicodedata.normalize("NFKC", text)


def read_other_script() -> dict[int, str]:
    """By each Chinese character another of its class."""
    other: dict[int, str] = {}
    for line in data_path("chinese_variants.txt").read_text(encoding="utf-8").splitlines():
        for group in [] if line.startswith("#") else line.split():
            for at, character in enumerate(group):
                other[ord(character)] = group[(at + 1) % len(group)]
    return other


def change(
    way: str, item: EvaluationItem, page: str, draw: random.Random, other: dict[int, str]
) -> str | None:
    """The item as it is planted; None if it cannot be changed so."""
    if way == "whole":
        return render(item)
    if way == "edges":
        return render(reword_edges(item, page, draw))
    if way == "forms":
        return change_forms(render(item), draw)
    if way == "scripts":
        text = render(item)
        return text.translate(other) if re.search(r"[㐀-鿿]", text) else None
    if way == "question":
        return item.question if item.question and (item.options or item.answer) else None
    if len(item.options) < 2:
        return None
    options = list(item.options)
    while tuple(options) == item.options:
        draw.shuffle(options)
    changed = EvaluationItem(
        name=item.name, question=item.question, options=tuple(options), answer=item.answer
    )
    return render(changed, labels=False)


def plant(text: str, page: str, draw: random.Random) -> str:
    lines = page.split("\n")
    at = draw.randrange(len(lines) + 1)
    return "\n".join([*lines[:at], text, *lines[at:]])
