"""Show the template calls that a pattern of templates.yaml cannot express: quantities, dates, money, ships, words."""

from __future__ import annotations

import re
from collections.abc import Callable

from corpus.extract.dates import is_only_date
from corpus.extract.holes import SENTENCE_STOPS
from corpus.extract.wikitext.names import load_wiki_languages
from corpus.extract.wikitext.template_arguments import Arguments

CONVERTED_NUMBER = re.compile(r"[-+−]?[\d.,/⁄+ ]*\d|[-+−]?\d[\d.,/]*(?:e[-+−]?\d+)?")
CJK_CHARACTER = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
SETTING = re.compile(
    r"-?\d*\.?\d+ ?(?:em|ex|rem|px|pt|cm|mm|%)?|left|right|cent(?:er|re)|justify|none|both|[lrc]", re.I
)
"""How text is set: a number of columns, a length, a side."""
COLUMN_NAME = re.compile(r"content|col ?\d{1,2}")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

CHARGE = re.compile(r"\d{0,2}[+−–-]|[+−–-]\d{1,2}")
ATOM_COUNT = re.compile(r"\d{0,3}[a-z](?:[+−-]\d{1,3})?")
"""How often an atom occurs, where that is no number: `n`, `2n+2`."""
REACTION_ARROWS = (("<->", "↔"), ("<=>", "⇌"), ("-->", "→"), ("->", "→"), ("<-", "←"))
REACTION_SCRIPT = re.compile(r"(?P<sign>[\^_])(?:\{(?P<braced>[^{}<>]{1,20})\}|(?P<bare>\d{1,3}))")
REACTION_CHARGE = re.compile(
    r"(?<=[\w)\]>])\((\d{0,2}[+−–-])\)|(?<=[A-Za-z)\]\d>])([+−–-])(?=$|[\s)\],;])", re.ASCII
)
REACTION_COUNT = re.compile(r"(?<=[A-Za-z)\]])\d{1,3}")

Function = Callable[[str, Arguments], str]
"""Takes the name of the template as written and its arguments; an empty text leaves a hole."""


def show_interlanguage_link(name: str, arguments: Arguments) -> str:
    """Show the name of a page that another wiki has: {{ill|Gull|fr|Mouette}}; or {{ill|fr|Gull|Mouette|label}}."""
    label = next((text for key in ("lt", "label", "display", "text") if (text := arguments.get(key))), "")
    first, second = arguments.get("1"), arguments.get("2")
    codes = load_wiki_languages()
    if first not in codes or not second or second in codes:
        return label or first
    return label or arguments.get("4") or second


def show_quantity(name: str, arguments: Arguments) -> str:
    """Show the first quantity of {{convert|5|to|10|km|mi}}, as written: "5 to 10 km"."""
    positional = arguments.positional()
    words = {"-": "–", "to(-)": "–", "x": "×", "*": "×", "xx": "×", "+/-": "±", "+": "+", "to-": "–"}
    units = arguments.words["units"]
    out: list[str] = []
    numbers = False
    for at, text in enumerate(positional):
        if CONVERTED_NUMBER.fullmatch(text):
            joined = out and out[-1] in ("–", "×", "±", "+")
            if numbers and not joined and out[-1] not in ("to", "and", "or", "by"):
                break
            out.append(text)
            numbers = True
        elif numbers and (text in words or text in ("to", "and", "or", "by", "–", "×", "±")):
            out.append(words.get(text, text))
        elif numbers:
            out.append(units.get(text, text))
            follows = positional[at + 1 : at + 3]
            if (
                len(follows) == 2
                and CONVERTED_NUMBER.fullmatch(follows[0])
                and follows[1] in ("in", "oz", "lb", "yd", "ft")
            ):
                out += follows
            break
        else:
            return ""
    return re.sub(r" ([–×±+]) ", r"\1", " ".join(out)) if numbers else ""


def show_fraction(name: str, arguments: Arguments) -> str:
    """Show {{frac|3}} as 1/3, {{frac|2|3}} as 2/3, {{frac|1|2|3}} as 1 2/3."""
    positional = [text for text in arguments.positional() if text]
    if not positional:
        return ""
    whole, above, below = (
        ["", "1", *positional]
        if len(positional) == 1
        else ["", *positional]
        if len(positional) == 2
        else positional
    )[:3]
    return f"{whole} {above}/{below}".strip()


def show_chemical(name: str, arguments: Arguments) -> str:
    """Show elements with the count behind each, {{chem|SO|4|2-}}, {{chem|238|92|U}}: digits before the first element
    are its mass and number."""
    pieces: list[str] = []
    has_element = False
    for text in filter(None, arguments.positional()):
        if CHARGE.fullmatch(text):
            pieces.append(f"<sup>{text}</sup>")
        elif text.isdecimal() or (has_element and ATOM_COUNT.fullmatch(text)):
            pieces.append(f"<sub>{text}</sub>" if pieces else f"<sup>{text}</sup>")
        else:
            pieces.append(text)
            has_element = True
    return "".join(pieces)


def show_reaction(name: str, arguments: Arguments) -> str:
    """Show a formula or reaction written in a line: {{chem2|2 H2O}}, {{chem2|SO4(2-)}}, {{chem2|Na+}}."""
    text = arguments.get("1")
    for written, shown in REACTION_ARROWS:
        text = text.replace(written, shown)
    text = REACTION_SCRIPT.sub(_mark_script, text)
    text = REACTION_CHARGE.sub(lambda match: f"<sup>{match[1] or match[2]}</sup>", text)
    return REACTION_COUNT.sub(r"<sub>\g<0></sub>", text).replace("*", "·")


def _mark_script(match: re.Match[str]) -> str:
    tag = "sup" if match["sign"] == "^" else "sub"
    return f"<{tag}>{match['braced'] or match['bare']}</{tag}>"


def show_as_of(name: str, arguments: Arguments) -> str:
    """Show {{as of|2014|6|lc=y}} as "as of June 2014"."""
    positional, named = arguments.positional(), arguments.named()
    year, month, day = [*positional, "", "", ""][:3]
    if not year:
        return ""
    if month.isdecimal() and 1 <= int(month) <= 12:
        month = MONTH_NAMES[int(month) - 1]
    words = "Since" if named.get("since") else "As of"
    if named.get("lc"):
        words = words.lower()
    return named.get("alt") or " ".join(text for text in (words, day, month, year) if text)


def show_date(name: str, arguments: Arguments) -> str:
    """Show year, month and day as numbers, in either order, as an ISO date; anything else is joined."""
    positional = [text for text in arguments.positional() if text][:3]
    numbers = [int(text) if text.isdecimal() and len(text) <= 4 else None for text in positional]
    if len(numbers) == 3 and None not in numbers:
        year, month, day = numbers if (numbers[0] or 0) > 31 else reversed(numbers)
        return f"{year:04d}-{month:02d}-{day:02d}"
    return " ".join(positional[:2] if len(positional) > 2 and (numbers[1] or 0) > 31 else positional)


def show_century(name: str, arguments: Arguments) -> str:
    """Show French centuries, {{s|XIX|e}}; elsewhere {{s|text}} keeps words on a line."""
    positional = arguments.positional()
    if len(positional) < 2 or positional[1] not in ("e", "er", "re", "ers"):
        return positional[0] if positional else ""
    first, last = positional[0] + positional[1], ""
    if len(positional) >= 5:
        last = f" {positional[2] or 'et'} {positional[3]}{positional[4]}"
    words = "" if name.lower().endswith("-") else " siècles" if last else " siècle"
    return first + last + words + (" av. J.-C." if name.startswith("-") else "")


def show_ipa(name: str, arguments: Arguments) -> str:
    """Show a sound that the text is about, {{IPA|a}}; not {{IPA|fr|paʁi}}, which gives the pronunciation of a word."""
    positional = arguments.positional()
    return positional[0] if len(positional) == 1 else ""


def show_marked_text(name: str, arguments: Arguments) -> str:
    """Show the words that {{fact|these words|date=May 2020}} marks; a mark that holds only its date shows nothing."""
    texts = (arguments.get(key) for key in ("text", "texte", "texto", "testo", "tekst", "1"))
    text = next((text for text in texts if text), "")
    return "" if is_only_date(text) else text


def show_country(name: str, arguments: Arguments) -> str:
    """Show the name of the country whose code a template's name is, {{CHN}}; nothing where it is no such code."""
    return arguments.words["countries"].get(name, "")


def show_flagged_country(name: str, arguments: Arguments) -> str:
    """Show a country that is named, {{flag|Fiji}}, or whose code is given, {{flag|FRA}}."""
    country = arguments.get("1")
    return arguments.words["countries"].get(country, country)


def show_currency(name: str, arguments: Arguments) -> str:
    """Show an amount of money by the name of its template, {{A$|5}}; without an amount, the sign alone."""
    sign = arguments.words["currencies"].get(name.replace("_", " ").lower(), name)
    return _join_amount(sign, arguments.get("1"))


def show_currency_by_code(name: str, arguments: Arguments) -> str:
    """Show {{currency|5|USD}} as $5, likewise where the code stands first."""
    signs = arguments.words["currencies"]
    amount = arguments.get("amount") or arguments.get("1")
    code = arguments.get("type") or arguments.get("code") or arguments.get("2")
    if amount.lower() in signs and code.lower() not in signs:
        amount, code = code, amount
    return _join_amount(signs.get(code.lower(), code), amount)


def show_old_pounds(name: str, arguments: Arguments) -> str:
    """Show pounds, shillings and pence, {{£sd|l=5|s=3|d=2}} or {{£sd|5|3|2}}, as £5 3s 2d."""
    keys = (("l", "1", "£{}"), ("s", "2", "{}s"), ("d", "3", "{}d"))
    amounts = ((arguments.get(key) or arguments.get(position), form) for key, position, form in keys)
    return " ".join(form.format(amount) for amount, form in amounts if amount and amount != "0")


def show_rupees(name: str, arguments: Arguments) -> str:
    """Show {{INRConvert|5|c}} as ₹5 crore."""
    words = {"k": "thousand", "l": "lakh", "m": "million", "c": "crore", "b": "billion", "t": "trillion"}
    words["lc"] = "lakh crore"
    amount, unit = arguments.get("1"), arguments.get("2")
    return f"₹{amount} {words.get(unit, '')}".rstrip() if amount else ""


def _join_amount(sign: str, amount: str) -> str:
    """Return a sign and an amount; a sign that stands behind the amount is written with a space before it."""
    return amount + sign if sign[:1] == " " and amount else sign.strip() + amount


def show_ship(name: str, arguments: Arguments) -> str:
    """Show {{SS|Great Eastern}} and {{USS|Enterprise|CVN-65}} by the form that the number behind the hull chooses."""
    return _name_ship(name.replace("_", " ").upper(), arguments, 1)


def show_ship_by_prefix(name: str, arguments: Arguments) -> str:
    """Show {{ship|HMS|Victory}}, {{ship||Titanic}}."""
    return _name_ship(arguments.get("1"), arguments, 2)


def _name_ship(prefix: str, arguments: Arguments, at: int) -> str:
    """Return a ship's name, its hull number in parentheses; form 1 is the number, 2 the name, 6 all but the number."""
    ship, hull, form = (arguments.get(str(at + step)) for step in range(3))
    form = form or arguments.get("up")
    full = f"{prefix} {ship}".strip()
    if form == "1":
        return hull
    if form == "2":
        return ship
    if form == "3":
        return f"{ship} ({hull})" if hull else ship
    if form == "5":
        return f"{hull} {ship}".strip()
    return f"{full} ({hull})" if hull and form in ("", "4") and ship else full


def show_ship_class(name: str, arguments: Arguments) -> str:
    """Show {{sclass|Nimitz|aircraft carrier}} as "Nimitz-class aircraft carrier"."""
    ship, kind, form = (arguments.get(str(at)) for at in (1, 2, 3))
    if not ship:
        return ""
    if form == "5":
        return f"{ship} class {kind}".strip()
    return {"1": ship, "2": f"{ship} class", "4": f"{ship}-class"}.get(form) or f"{ship}-class {kind}".strip()


def show_ordinal(name: str, arguments: Arguments) -> str:
    """Show {{ordinal|3}} as 3rd."""
    number = arguments.get("1")
    last = number.replace(",", "")[-2:]
    if not last.isdecimal():
        return number
    ending = "th" if last[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(last[-1], "th")
    return number + (ending.replace("nd", "d").replace("rd", "d") if arguments.get("2") == "d" else ending)


def show_height(name: str, arguments: Arguments) -> str:
    """Show {{height|ft=6|in=2}} as 6 ft 2 in, {{height|m=1.83}} as 1.83 m."""
    units = ("ft", "in", "m", "cm")
    shown = [f"{value} {unit}" for unit in units if (value := arguments.get(unit))]
    return " ".join(shown) or " ".join(arguments.positional())


def show_listing(name: str, arguments: Arguments) -> str:
    """Show a place of Wikivoyage as a list item: name (alt), address (directions). Hours. Description. Price."""
    named = {
        part: next((text for key in keys.split("|") if (text := arguments.get(key.strip()))), "")
        for part, keys in arguments.words["listings"].items()
    }
    if not any(named.values()):
        return ""
    comma, stop, opening, closing = ", ", ". ", " (", ")"
    if CJK_CHARACTER.match(named["content"] or named["name"]):
        comma, stop, opening, closing = "，", "。", "（", "）"
    place = named["name"] + (f"{opening}{named['alt']}{closing}" if named["alt"] else "")
    where = named["address"] + (f"{opening}{named['directions']}{closing}" if named["directions"] else "")
    text = comma.join(part for part in (place, where) if part)
    for part in (named["hours"], named["content"], named["price"]):
        if part:
            ended = not text or text.endswith(tuple(SENTENCE_STOPS))
            text += ((" " if stop == ". " else "") if ended else stop) + part
    return f"\n* {text.strip()}\n"


def show_label(name: str, arguments: Arguments) -> str:
    """Show the labels of a word, {{lb|en|informal|_|US}}, as (informal US)."""
    words = [text for text in arguments.positional()[1:] if text]
    text = ", ".join(words).replace(", _, ", " ")
    return f"({text})" if words else ""


def show_origin(name: str, arguments: Arguments) -> str:
    """Show the language and the word that a word comes from, {{der|en|la|aqua||water}}: Latin aqua (“water”)."""
    return _show_word(arguments, 2, named_language=True)


def show_cognate(name: str, arguments: Arguments) -> str:
    """Show {{cog|de|Wasser}} as German Wasser."""
    return _show_word(arguments, 1, named_language=True)


def show_word(name: str, arguments: Arguments) -> str:
    """Show a word of a language, {{m|la|aqua|aquam|water}}, as aquam (“water”)."""
    return _show_word(arguments, 1, named_language=False)


def _show_word(arguments: Arguments, at: int, named_language: bool) -> str:
    code = arguments.get(str(at))
    word = arguments.get(str(at + 2)) or arguments.get("alt") or arguments.get(str(at + 1))
    word = "" if word == "-" else word
    meaning = arguments.get(str(at + 3)) or arguments.get("t") or arguments.get("gloss")
    reading = arguments.get("tr")
    notes = [text for text in (reading if reading != "-" else "", f"“{meaning}”" if meaning else "") if text]
    language = arguments.words["languages"].get(code, "") if named_language else ""
    return " ".join(text for text in (language, word, f"({', '.join(notes)})" if notes else "") if text)


def show_form_of(name: str, arguments: Arguments) -> str:
    """Show {{plural of|en|word}} as "plural of word"."""
    word = arguments.get("3") or arguments.get("2")
    return f"{name.replace('_', ' ')} {word}" if word else ""


def show_affixes(name: str, arguments: Arguments) -> str:
    """Show the parts of a word, {{affix|en|un-|do}}, as un- + do; {{suffix}} and {{prefix}} add their hyphens."""
    parts = [text for text in arguments.positional()[1:] if text]
    kind = name.lower()
    if kind in ("suffix", "suf", "confix"):
        parts[1:] = [text if text.startswith("-") else f"-{text}" for text in parts[1:]]
    if kind in ("prefix", "pre", "confix"):
        parts[: len(parts) - 1] = [text if text.endswith("-") else f"{text}-" for text in parts[:-1]]
        if kind == "confix" and len(parts) == 3:
            parts[1] = arguments.get("3")
    return " + ".join(parts)


def show_related_words(name: str, arguments: Arguments) -> str:
    """Show {{syn|en|big|large}} as "Synonyms: big, large"."""
    titles = {
        "syn": "Synonyms",
        "ant": "Antonyms",
        "hyper": "Hypernyms",
        "hypo": "Hyponyms",
        "cot": "Coordinate terms",
    }
    words = [text for text in arguments.positional()[1:] if text and ":" not in text]
    title = next((titles[key] for key in titles if name.lower().startswith(key)), "See also")
    return f"{title}: {', '.join(words)}" if words else ""


def show_columns(name: str, arguments: Arguments) -> str:
    """Show the lists of {{columns-list|2|* a}}, {{col|* a|* b}}, {{columns|col1=* a|col2=* b}}, one below the other."""
    lists = [text for text in arguments.positional() if text and not SETTING.fullmatch(text)]
    lists += [text for key, text in arguments.named().items() if COLUMN_NAME.fullmatch(key) and text]
    return "\n".join(["", *lists, ""]) if lists else ""


def show_set_text(name: str, arguments: Arguments) -> str:
    """Show the text of {{align|right|text}}: the first unnamed argument that is no setting, or the only one."""
    positional = arguments.positional()
    behind = positional[1:] if len(positional) > 1 and SETTING.fullmatch(positional[0]) else positional
    return next(
        (text for text in behind if text and not SETTING.fullmatch(text)), behind[0] if behind else ""
    )


TEMPLATE_FUNCTIONS: dict[str, Function] = {
    "interlanguage_link": show_interlanguage_link,
    "convert": show_quantity,
    "fraction": show_fraction,
    "chemical": show_chemical,
    "reaction": show_reaction,
    "as_of": show_as_of,
    "date": show_date,
    "century": show_century,
    "ipa": show_ipa,
    "marked_text": show_marked_text,
    "country": show_country,
    "flagged_country": show_flagged_country,
    "currency": show_currency,
    "currency_by_code": show_currency_by_code,
    "old_pounds": show_old_pounds,
    "rupees": show_rupees,
    "ship": show_ship,
    "ship_by_prefix": show_ship_by_prefix,
    "ship_class": show_ship_class,
    "ordinal": show_ordinal,
    "height": show_height,
    "listing": show_listing,
    "label": show_label,
    "origin": show_origin,
    "cognate": show_cognate,
    "word": show_word,
    "form_of": show_form_of,
    "affixes": show_affixes,
    "related_words": show_related_words,
    "columns": show_columns,
    "set_text": show_set_text,
}
