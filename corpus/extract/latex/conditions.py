"""Decide a paper's conditions: which of `\\ifdraft ... \\else ... \\fi` is printed, by what the paper itself sets.

Decided are conditions that the paper declares (`\\newif`) and sets in plain sight, options of its class, and whether
a command is defined. Others are left as they are, and so is a text whose conditions do not close.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WITHOUT_END = (
    r"(?:iff|ifthenelse|ifdef(?:empty|macro|string|void)?|ifcs\w+|ifblank|ifstr\w+|ifbool|iftoggle|ifundef|ifnumcomp"
    r"|ifnumequal|iflanguage|ifpackageloaded|ifpackagelater|ifclassloaded|ifstar|ifnextchar)"
)
"""Commands that begin like conditions and have no `\\fi`."""
MAX_HIDDEN_CHARACTERS = 500_000
_DECLARATION = re.compile(r"\\newif\s*\\if([A-Za-z@]+)")
_TOKEN = re.compile(
    rf"\\newif\s*\\if[A-Za-z@]*|\\{WITHOUT_END}(?![A-Za-z@])|\\let\s*\\if(?P<let>[A-Za-z@]+)\s*=?\s*\\if(?P<value>true|false)"
    r"(?![A-Za-z@])"
    r"|\\if(?:(?P<defined>defined\s*\\(?P<name>[A-Za-z@]+))|(?P<flag>[A-Za-z@]*))(?![A-Za-z@])"
    r"|\\(?P<part>else|fi|repeat)(?![A-Za-z@])|\\(?P<set>[A-Za-z@]+)(?P<to>true|false)(?![A-Za-z@])"
    r"|(?P<document>\\(?:begin|end)\s*\{document\})|\\[^A-Za-z@]|(?P<brace>[{}])"
)
_COMMANDS = re.compile(r"\\(?:[egx]?def|let|(?:new|renew|provide)command\*?\s*\{?)\s*\\([A-Za-z@]+)")
ENGINES = ("pdf", "XeTeX", "xetex", "lua", "direct", "U", "chapter", "HCode", "toggle", "bool")
"""Beginnings of commands that the engine, the class or a package defines, if any does."""
_OPTIONS = re.compile(r"\\documentclass\s*\[([^\]]*)\]")
_CLASS_FLAGS = ("captionsoff", "compsoc", "conference", "draftcls", "onecolumn", "peerreview", "technote")
"""Options of IEEEtran that are conditions for its papers: `\\ifCLASSOPTIONcompsoc`."""
_SWITCH = re.compile(
    r"\\(?:new(?:boolean|bool|toggle)\s*\{([\w@-]+)\}|set(?:boolean|bool|toggle)\s*\{([\w@-]+)\}\s*\{\s*(true|false)\s*\}"
    r"|(?:bool|toggle)(true|false)\s*\{([\w@-]+)\})"
)
_TEST = re.compile(
    r"\s*(\\NOT|\\not)?\s*(?:\\boolean\s*\{([\w@-]+)\}|\\equal\s*\{([^{}\\]*)\}\s*\{([^{}\\]*)\})\s*"
)


@dataclass(slots=True)
class _Open:
    """Hold a condition that is open."""

    holds: bool | None
    """None: nobody can know it here."""
    is_hidden: bool


def decide_conditions(text: str) -> str:
    """Return a text without the branches that its own settings hide; unchanged if it declares no condition."""
    flags: dict[str, bool | None] = dict.fromkeys(_DECLARATION.findall(text), False)
    flags |= (
        {match["let"]: None for match in _TOKEN.finditer(text) if match["let"]} if "\\let\\if" in text else {}
    )
    if "\\ifCLASSOPTION" in text:
        options = _OPTIONS.search(text)
        named = [option.strip() for option in options[1].split(",")] if options is not None else []
        flags |= {f"CLASSOPTION{flag}": flag in named for flag in _CLASS_FLAGS}
    if not flags and "\\iftrue" not in text and "\\ifdefined" not in text:
        return text
    begin = text.find("\\begin{document}")
    if begin >= 0:
        _walk(text[:begin], flags, sets=True)
    written = _walk(text, flags, sets=begin < 0)
    return text if written is None else written


def _walk(text: str, flags: dict[str, bool | None], sets: bool) -> str | None:
    """Return the text with what is hidden left out, None if its conditions do not close; `flags` ends as it is set.

    Settings count from the body on where `sets` is false. Inside braces or an unknown condition, nobody can know.
    """
    pieces: list[str] = []
    commands = find_defined(text) if "\\ifdefined" in text else set()
    opened: list[_Open] = []
    at = depth = hidden_from = 0
    for token in _TOKEN.finditer(text):
        hides = any(each.is_hidden for each in opened[-8:])
        start, end = token.span()
        if token["brace"]:
            depth = max(0, depth + (1 if token["brace"] == "{" else -1))
        elif token["document"]:
            if hides:
                return None
            sets, depth = True, 0
        elif (name := token["set"] or token["let"]) is not None:
            if name in flags and sets and not hides:
                is_known = not depth and all(each.holds is not None for each in opened)
                flags[name] = (token["to"] or token["value"]) == "true" if is_known else None
        elif token["flag"] is not None or token["defined"]:
            holds: bool | None = True if token["flag"] == "true" else flags.get(token["flag"] or "")
            if token["defined"]:
                holds = None if token["name"].startswith(ENGINES) else token["name"] in commands
            if holds is not None and not hides:
                pieces.append(text[at:start])
                at = end = skip_space(text, end)
                hidden_from = end
            opened.append(_Open(holds, holds is False and not hides))
        elif token["part"] == "else" and opened:
            last = opened[-1]
            outer = any(each.is_hidden for each in opened[-9:-1])
            if last.holds is not None and not outer:
                pieces.append("" if last.is_hidden else text[at:start])
                last.is_hidden, at = not last.is_hidden, skip_space(text, end)
                hidden_from = at
        elif token["part"] and opened:
            last = opened.pop()
            outer = any(each.is_hidden for each in opened[-8:])
            if token["part"] == "fi" and last.holds is not None and not outer:
                pieces.append("" if last.is_hidden else text[at:start])
                at = skip_space(text, end)
        if hides and start - hidden_from > MAX_HIDDEN_CHARACTERS:
            return None
    if any(each.holds is not None for each in opened):
        return None
    return "".join([*pieces, text[at:]])


def find_defined(text: str) -> set[str]:
    """Return the names of the commands that a text defines."""
    return set(_COMMANDS.findall(text))


def skip_space(text: str, at: int) -> int:
    """Return where the text goes on behind a command: spaces and a line end after it are none."""
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at + 1 if text.startswith("\n", at) and not text[at + 1 :].startswith("\n") else at


def read_switches(text: str) -> dict[str, bool]:
    """Return what a paper sets its booleans and toggles (packages ifthen, etoolbox) to, the last setting of each."""
    switches: dict[str, bool] = {}
    for match in _SWITCH.finditer(text):
        if match[1]:
            switches.setdefault(match[1], False)
        else:
            switches[match[2] or match[5]] = (match[3] or match[4]) == "true"
    return switches


def choose_branch(command: str, test: str, switches: dict[str, bool]) -> bool:
    """Return whether the first branch of `\\ifthenelse`, `\\ifbool` or `\\iftoggle` is printed; so it is if unknown."""
    if command != "ifthenelse":
        return switches.get(test.strip(), True)
    match = _TEST.fullmatch(test)
    if match is None:
        return True
    holds = switches.get(match[2], True) if match[2] else match[3].strip() == match[4].strip()
    return holds != bool(match[1])
