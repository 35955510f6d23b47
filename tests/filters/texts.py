"""English texts written for these tests, each to be judged by one rule, and what datatrove 0.10.1 says of them.

`VERDICTS` holds, by the name of a text, the reason that each of datatrove's filters gives (the first rule that
fails; "" where it keeps the text): GopherQualityFilter, GopherRepetitionFilter, FineWebQualityFilter with their
defaults, C4QualityFilter with its defaults and with `filter_no_terminal_punct=False`, as FineWeb runs it. They
were made by `datatrove_verdicts.py`, which the tests run again where DATATROVE_PYTHON names a Python that has
datatrove.
"""

from __future__ import annotations

from collections.abc import Iterator

ARTICLE = """\
The old ferry still crosses the river every hour, and the captain knows most of the people who use it.
He has worked on the water since he was a boy, when his father rowed travellers to the other bank for a penny.
Today the boat has an engine and a small roof, but the landing stage is the same that was built in 1911.
Farmers bring their vegetables in the morning, and children wait there with their bicycles after school.
In winter the river can rise by two metres in a night, so the crossing has to stop until the flood is over.
The village has asked for a bridge many times, and the county has always answered that there is no money.
Some of the older people are quite happy with that answer, because they like to talk while they wait."""

OTHER = """\
A good loaf of bread needs little more than flour, water, salt and time.
Mix the flour with the water in the evening and leave the dough to rest in a cool corner of the kitchen.
By the morning it will have grown to twice its size, with large bubbles on the surface.
Fold it over itself a few times, shape it with wet hands, and let it rise again for about an hour.
The oven should be as hot as you can make it, and a pot with a lid keeps the steam inside.
Bake it for half an hour under the lid and for a quarter of an hour without it.
The crust is done when it sounds hollow, and it should be cold before anybody cuts it."""

SENTENCES = [*ARTICLE.splitlines(), *OTHER.splitlines()]
NOUNS = """\
river captain engine farmer village bridge county winter flood morning kitchen flour water bubble surface
oven steam crust hour night money answer school bicycle penny father boy bank roof stage people talk dough corner
size hand lid pot loaf bread salt time rest evening travel landing village crossing vegetable child metre"""
WORDS = NOUNS.split()


def _shifted(*steps: int) -> Iterator[tuple[str, ...]]:
    """Each of WORDS with the words so many places behind it."""
    return zip(WORDS, *(WORDS[step:] for step in steps), strict=False)


def _numbered(line: str, count: int) -> str:
    return "\n".join(line.format(number) for number in range(1, count + 1))


TEXTS: dict[str, str] = {
    "article": ARTICLE,
    "recipe": OTHER,
    "two paragraphs": f"{ARTICLE}\n\n{OTHER}",
    "short": "The old ferry still crosses the river every hour. It has to stop in winter. That is the rule here.",
    "long words": " ".join(
        f"Counterrevolutionary internationalization characteristically misrepresented {word} "
        f"incomprehensibilities and the disproportionateness of industrialization that have."
        for word in WORDS[:14]
    ),
    "short words": " ".join(
        "I am to go up on it, or so we do as he is in. A b c d e f g h if no x y." for _ in range(5)
    ),
    "hashes": "\n".join(f"{line} #river #boat #water" for line in ARTICLE.splitlines()),
    "ellipses": ARTICLE.replace(", ", " ... ").replace(" the ", " ... the "),
    "bullets": "\n".join(f"- {line}" for line in SENTENCES),
    "bullets and prose": "\n".join([*(f"• {line}" for line in ARTICLE.splitlines()), *OTHER.splitlines()]),
    "trailing ellipses": "\n".join(line.removesuffix(".") + "..." for line in SENTENCES),
    "trailing ellipsis characters": "\n".join(line.removesuffix(".") + "…" for line in SENTENCES[:6])
    + "\n"
    + OTHER,
    "table of numbers": "\n".join(
        f"{1900 + at} {at * 37} {at * 12.5} {at * 101} {at * 7} the {WORDS[at]} of that {WORDS[-at - 1]}."
        for at in range(14)
    ),
    "no stop words": " ".join(
        f"{word.capitalize()} {other} {third}." for word, other, third in _shifted(7, 19)
    ),
    "one stop word": " ".join(f"The {word} {other} {third}." for word, other, third in _shifted(7, 19)),
    "repeated lines": "\n".join([*SENTENCES[:6], *[SENTENCES[0]] * 5]),
    "repeated short lines": "\n".join(line for sentence in SENTENCES for line in (sentence, "Read on.")),
    "repeated paragraphs": "\n\n".join([*SENTENCES[:3], *[SENTENCES[1]] * 3]),
    "one long line twice": "\n".join(
        [" ".join(ARTICLE.splitlines()), *OTHER.splitlines(), " ".join(ARTICLE.splitlines())]
    ),
    "one long paragraph twice": f"{ARTICLE}\n\n{SENTENCES[8]}\n\n{SENTENCES[9]}\n\n{SENTENCES[10]}\n\n{ARTICLE}",
    "top 2-gram": " ".join(f"{word} internationalization organization" for word in WORDS)
    + " and that have the end.",
    "top 3-gram": " ".join(f"{word} {other} {word[::-1]} of the commonwealth" for word, other in _shifted(5)),
    "top 4-gram": " ".join(f"{w} {o} {w[::-1]} {o[::-1]} at the end of" for w, o in _shifted(5)),
    "repeated sentence": " ".join(
        sentence for pair in zip(SENTENCES, [SENTENCES[2]] * 6, strict=False) for sentence in pair
    ),
    "repeated clause": " ".join(
        f"{line.removesuffix('.')}, {'as everybody in the village has always known' if at % 2 else 'he says'}."
        for at, line in enumerate(SENTENCES)
    ),
    "two sentences twice": " ".join([*SENTENCES[:9], *SENTENCES[1:3]]),
    "lorem ipsum": f"{ARTICLE}\nLorem ipsum dolor sit amet, consectetur adipiscing elit.\n{OTHER}",
    "lorem ipsum without a full stop": f"{ARTICLE}\nLorem ipsum dolor sit amet\n{OTHER}",
    "curly bracket": f"{ARTICLE}\nThe function f(x) {{ return x; }} was printed on the sign.\n{OTHER}",
    "curly bracket without a full stop": f"{ARTICLE}\nfunction f(x) {{ return x; }}\n{OTHER}",
    "javascript": "\n".join(f"{line} Please enable Javascript." for line in SENTENCES[:9])
    + "\n"
    + SENTENCES[9],
    "one javascript line": f"{ARTICLE}\nPlease enable JavaScript to see the map of the river.",
    "policies": _numbered("This site uses cookies, and you accept our privacy policy with step {}.", 14),
    "titles": "\n".join(line.removesuffix(".") for line in SENTENCES),
    "quoted lines": "\n".join(f'"{line}"' for line in SENTENCES[:7]),
    "citations": "\n".join(f"{line}[{at}]" for at, line in enumerate(SENTENCES, start=1)),
    "two-word lines": "\n".join(f"{word.capitalize()} {other}." for word, other in _shifted(9)),
    "short lines": "\n".join(f"The {word} of the {other}." for word, other in _shifted(9)),
    "short lines among long": "\n".join([*SENTENCES, *(f"The {word} of old." for word in WORDS[:14])]),
    "list of links": "\n".join(f"{word}\n{other}\n{third}" for word, other, third in _shifted(9, 21)),
    "long names": "\n".join(f"Internationalization {word * 4}." for word in WORDS[:30] if len(word) > 3),
    "one line twice": f"{ARTICLE}\n{SENTENCES[3]}\n{OTHER}",
    "a word of 1,200 letters": f"{ARTICLE}\nThe code was {'x' * 1200} and that is all.\n{OTHER}",
    "only words of 1,200 letters": "\n".join(
        f"The code of {word} was {'x' * 1200} and that is all." for word in WORDS[:9]
    ),
    "questions": "\n".join(line.removesuffix(".") + "?" for line in SENTENCES),
    "four sentences": " ".join(SENTENCES[:4]),
    "five sentences": " ".join(SENTENCES[:5]),
    "a long book": " ".join([*SENTENCES] * 480),
}

VERDICTS: dict[str, list[str]] = {
    "article": ["", "", "", "", ""],
    "recipe": ["", "", "", "", ""],
    "two paragraphs": ["", "", "", "", ""],
    "short": ["gopher_short_doc", "top_4_gram", "", "too_few_sentences", "too_few_sentences"],
    "long words": ["gopher_above_avg_threshold", "top_2_gram", "", "", ""],
    "short words": ["gopher_below_avg_threshold", "duplicated_5_n_grams", "", "", ""],
    "hashes": ["gopher_too_many_hashes", "", "line_punct_ratio", "too_few_sentences", ""],
    "ellipses": ["gopher_too_many_ellipsis", "", "", "", ""],
    "bullets": ["gopher_too_many_bullets", "", "", "", ""],
    "bullets and prose": ["", "", "", "", ""],
    "trailing ellipses": ["gopher_too_many_end_ellipsis", "", "", "too_few_sentences", ""],
    "trailing ellipsis characters": ["gopher_too_many_end_ellipsis", "", "", "", ""],
    "table of numbers": ["gopher_below_alpha_threshold", "", "", "", ""],
    "no stop words": ["gopher_below_alpha_threshold", "", "", "", ""],
    "one stop word": ["gopher_enough_stop_words", "top_2_gram", "", "", ""],
    "repeated lines": ["", "dup_line_frac", "char_dup_ratio", "", ""],
    "repeated short lines": ["", "dup_line_frac", "char_dup_ratio", "", ""],
    "repeated paragraphs": ["", "dup_para_frac", "char_dup_ratio", "", ""],
    "one long line twice": ["", "dup_line_char_frac", "char_dup_ratio", "", ""],
    "one long paragraph twice": ["", "dup_para_char_frac", "char_dup_ratio", "", ""],
    "top 2-gram": ["gopher_above_avg_threshold", "top_2_gram", "", "too_few_sentences", "too_few_sentences"],
    "top 3-gram": ["", "top_3_gram", "line_punct_ratio", "too_few_sentences", "too_few_sentences"],
    "top 4-gram": ["", "top_3_gram", "line_punct_ratio", "too_few_sentences", "too_few_sentences"],
    "repeated sentence": ["", "duplicated_5_n_grams", "", "", ""],
    "repeated clause": ["", "duplicated_9_n_grams", "", "", ""],
    "two sentences twice": ["", "duplicated_5_n_grams", "", "", ""],
    "lorem ipsum": ["", "", "", "lorem_ipsum", "lorem_ipsum"],
    "lorem ipsum without a full stop": ["", "", "", "", "lorem_ipsum"],
    "curly bracket": ["", "", "", "curly_bracket", "curly_bracket"],
    "curly bracket without a full stop": ["", "", "", "", "curly_bracket"],
    "javascript": ["", "top_4_gram", "", "too_few_sentences", "too_few_sentences"],
    "one javascript line": ["", "", "", "", ""],
    "policies": ["", "top_3_gram", "", "too_few_sentences", "too_few_sentences"],
    "titles": ["", "", "line_punct_ratio", "too_few_sentences", ""],
    "quoted lines": ["", "", "line_punct_ratio", "", ""],
    "citations": ["", "", "line_punct_ratio", "", ""],
    "two-word lines": [
        "gopher_below_alpha_threshold",
        "",
        "short_line_ratio",
        "too_few_sentences",
        "too_few_sentences",
    ],
    "short lines": ["", "top_2_gram", "short_line_ratio", "", ""],
    "short lines among long": ["", "", "", "", ""],
    "list of links": [
        "gopher_enough_stop_words",
        "dup_line_frac",
        "line_punct_ratio",
        "too_few_sentences",
        "too_few_sentences",
    ],
    "long names": [
        "gopher_above_avg_threshold",
        "top_2_gram",
        "list_ratio",
        "too_few_sentences",
        "too_few_sentences",
    ],
    "one line twice": ["", "", "char_dup_ratio", "", ""],
    "a word of 1,200 letters": ["", "", "", "", ""],
    "only words of 1,200 letters": [
        "gopher_above_avg_threshold",
        "top_4_gram",
        "",
        "too_few_sentences",
        "too_few_sentences",
    ],
    "questions": ["", "", "", "", ""],
    "four sentences": ["", "", "", "too_few_sentences", "too_few_sentences"],
    "five sentences": ["", "", "", "", ""],
    "a long book": ["gopher_long_doc", "duplicated_5_n_grams", "", "", ""],
}
