"""Write out glossary entries and acronyms: `\\gls{gps}` as what it prints, in full where it is first used.

The packages glossaries, glossaries-extra, acronym and acro. An entry whose definition is not in the paper prints
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from corpus.extract.latex.macros import Braces

_DEFINITION = re.compile(
    r"\\(newacronym|newabbreviation|newglossaryentry|longnewglossaryentry|provideglossaryentry|DeclareAcronym|acrodef|newacro"
    r"|acro|acroplural|acrodefplural)(?![A-Za-z])"
)
_OPTION = re.compile(r"\s*\[((?:[^\[\]{}]|\{[^{}]*\})*)\]")
_USE = re.compile(
    r"\\((?:gls|Gls|GLS)(?:entry)?(?:pl|xtrshort|xtrlong|xtrfull|name|text|first|desc|symbol|plural|firstplural|link|disp"
    r"|short|long|full|longpl|shortpl|fullpl)?"
    r"|(?:acr|Acr|ACR)(?:short|long|full)(?:pl)?|(?:ac|Ac|iac|Iac|acs|acl|Acl|acf|Acf|acfi|acsu|aclu|acp|Acp|acsp|aclp|acfp"
    r"|Acfp|Aclp))(\*?)(?=\s*[\[{])"
)
_NESTED = r"\{[^{}]*+\}"
for _ in range(4):
    _NESTED = rf"\{{(?>(?:[^{{}}]+|{_NESTED})*)\}}"
_KEYS = re.compile(
    rf"\s*([A-Za-z-]+)\s*=\s*(?:\{{((?>(?:[^{{}}]+|{_NESTED})*))\}}|((?>(?:[^,{{}}]+|{_NESTED})*)))\s*(?:,|$)"
)
MAX_NESTED_ENTRIES = 4
"""Depth to which entries may use entries."""
_ITEM = re.compile(r"\s*\{")


@dataclass(slots=True)
class Entry:
    """What an entry prints: short and long form, and their plurals."""

    short: str
    long: str = ""
    short_plural: str = ""
    long_plural: str = ""
    description: str = ""
    symbol: str = ""
    is_used: bool = False


def write_out_glossaries(text: str, read_all: Callable[[], str]) -> str:
    """Return a text with its uses of glossary entries written out; `read_all` returns where they are defined."""
    if _USE.search(text) is None and _DEFINITION.search(text) is None:
        return text
    entries = read_entries(read_all())
    text = _remove_definitions(text)
    room = 2 * len(text) + (1 << 20)
    for _ in range(MAX_NESTED_ENTRIES):
        written = _write_out_uses(text, entries, room)
        if written is None:
            break
        room -= max(0, len(written) - len(text))
        text = written
    return text


def _write_out_uses(text: str, entries: dict[str, Entry], room: int) -> str | None:
    """Return a text with the uses in it written out, once, within `room` characters more; None if it has none."""
    if _USE.search(text) is None:
        return None
    pairs = Braces(text)
    pieces: list[str] = []
    at = 0
    for use in _USE.finditer(text):
        if use.start() < at:
            continue
        end = use.end()
        while option := _OPTION.match(text, end):
            end = option.end()
        begin = _ITEM.match(text, end)
        close = pairs.find_close(begin.end() - 1) if begin is not None else None
        if begin is None or close is None:
            continue
        entry = entries.get(text[begin.end() : close].strip())
        name = use[1]
        behind = close + 1
        own = ""
        if name.lower() in ("glslink", "glsdisp") and (second := _ITEM.match(text, behind)) is not None:
            inner = pairs.find_close(second.end() - 1)
            own, behind = (text[second.end() : inner], inner + 1) if inner is not None else ("", behind)
        option = _OPTION.match(text, behind) if name.lower().startswith("gls") else None
        shown = own or (_write(entry, name) if entry is not None and room > 0 else "")
        room -= len(shown)
        pieces += [text[at : use.start()], shown]
        if option is not None and entry is not None:
            pieces.append(option[1])
        at = option.end() if option is not None else behind
    pieces.append(text[at:])
    return "".join(pieces)


def read_entries(text: str) -> dict[str, Entry]:
    """Return the entries that a text defines, by their keys."""
    entries: dict[str, Entry] = {}
    pairs = Braces(text)
    for match in _DEFINITION.finditer(text):
        kind, at = match[1], match.end()
        options: list[str] = []
        groups: list[str] = []
        wanted = {"DeclareAcronym": 2, "newglossaryentry": 2, "provideglossaryentry": 2, "newacronym": 3}.get(
            kind, 3
        )
        wanted = 2 if kind in ("acro", "acrodef", "newacro", "acroplural", "acrodefplural") else wanted
        while len(groups) < wanted:
            if (option := _OPTION.match(text, at)) is not None:
                options.append(option[1])
                at = option.end()
                continue
            begin = _ITEM.match(text, at)
            close = pairs.find_close(begin.end() - 1) if begin is not None else None
            if begin is None or close is None:
                break
            groups.append(text[begin.end() : close])
            at = close + 1
        if len(groups) == wanted:
            _add_entry(entries, kind, options, [group.strip() for group in groups])
    return entries


def _add_entry(entries: dict[str, Entry], kind: str, options: list[str], groups: list[str]) -> None:
    key = groups[0]
    if kind in ("acroplural", "acrodefplural"):
        if key in entries:
            entries[key].short_plural, entries[key].long_plural = (options or [""])[0], groups[1]
        return
    if kind in ("acro", "acrodef", "newacro"):
        entries[key] = Entry((options or [key])[0], groups[1])
        return
    if kind in ("newacronym", "newabbreviation"):
        given = _read_keys(options[0] if options else "")
        entries[key] = Entry(
            groups[1],
            groups[2],
            given.get("shortplural", ""),
            given.get("longplural", given.get("plural", "")),
            given.get("description", groups[2]),
        )
        return
    given = _read_keys(groups[1])
    if kind == "DeclareAcronym":
        short, long = given.get("short", key), given.get("long", "")
        entries[key] = Entry(
            short,
            long,
            given.get("short-plural-form", short + given.get("short-plural", "s")),
            given.get("long-plural-form", long + given.get("long-plural", "s")),
        )
        return
    name = given.get("text") or given.get("name", key)
    plural = given.get("plural", "")
    if given.get("first"):
        entries[key] = Entry(name, given["first"], plural)
        entries[key].long = f"\x1b{given['first']}"
    else:
        entries[key] = Entry(name, "", plural)
    entries[key].description = groups[2] if len(groups) > 2 else given.get("description", "")
    entries[key].symbol = given.get("symbol", "")


def _read_keys(options: str) -> dict[str, str]:
    """Return the values of a list of keys; braces around a value are removed."""
    values: dict[str, str] = {}
    at = 0
    while match := _KEYS.match(options, at):
        values[match[1]] = (match[2] if match[2] is not None else match[3]).strip()
        if match.end() == at:
            break
        at = match.end()
    return values


def _write(entry: Entry, name: str) -> str:
    """Return what a command prints of an entry: the first use is in full."""
    lower = name.lower().replace("glsentry", "gls")
    if lower in ("glsdesc", "glssymbol"):
        shown = (entry.description if lower == "glsdesc" else entry.symbol) or entry.short
        return shown[:1].upper() + shown[1:] if name[0].isupper() else shown
    is_bare = lower != name.lower()
    was_used = entry.is_used
    is_plural = lower.endswith(("pl", "plural")) or lower in ("acp", "acsp", "aclp", "acfp")
    short = (entry.short_plural or f"{entry.short}s") if is_plural else entry.short
    own_first = entry.long.startswith("\x1b")
    long = entry.long.removeprefix("\x1b")
    long = (entry.long_plural or f"{long}s") if is_plural and long and not own_first else long
    if lower.endswith(("short", "shortpl")) or lower in (
        "acs",
        "acsp",
        "acsu",
        "glstext",
        "glsname",
        "glsshort",
        "glsshortpl",
        "glsplural",
    ):
        shown = short
    elif lower.endswith(("long", "longpl")) or lower in ("acl", "aclp", "aclu"):
        shown = long or short
    elif own_first:
        shown = short if entry.is_used else long
    elif lower.endswith(("full", "fullpl")) or lower in ("acf", "acfp", "acfi") or not entry.is_used:
        shown = f"{long} ({short})" if long else short
    else:
        shown = short
    if is_bare:
        entry.is_used = was_used
    elif lower not in ("acs", "acl", "acsp", "aclp", "acrshort", "acrlong", "glsxtrshort", "glsxtrlong"):
        entry.is_used = True
    if name.startswith("GLS") or name.startswith("ACR"):
        return shown.upper()
    return shown[:1].upper() + shown[1:] if name[0].isupper() else shown


def _remove_definitions(text: str) -> str:
    """Return a text without the definitions in it: they print nothing (an environment `acronym` lists them)."""
    pairs = Braces(text)
    pieces: list[str] = []
    at = 0
    for match in _DEFINITION.finditer(text):
        if match.start() < at:
            continue
        end = match.end()
        wanted = 3 if match[1] in ("newacronym", "newabbreviation", "longnewglossaryentry") else 2
        for _ in range(wanted):
            while option := _OPTION.match(text, end):
                end = option.end()
            begin = _ITEM.match(text, end)
            close = pairs.find_close(begin.end() - 1) if begin is not None else None
            if close is None:
                break
            end = close + 1
        if match[1] == "acro":
            pieces.append(text[at : match.start()])
            entry = read_entries(text[match.start() : end])
            pieces += [f"\n\n{each.short}: {each.long}\n\n" for each in entry.values()]
        else:
            pieces.append(text[at : match.start()])
        at = end
    pieces.append(text[at:])
    return "".join(pieces)
