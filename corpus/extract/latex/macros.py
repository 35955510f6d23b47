"""Expand a paper's own macros: take them from its definitions, and write them out where they are used.

What is expanded is what a reader of the source would expand mentally: `\\newcommand`, `\\def` with plain
arguments, `\\DeclareMathOperator`, `\\let`, `\\newenvironment`, `\\newtheorem`. Macros that compute (conditions, boxes,
category codes) are not expanded. Depth and length are bounded, so no macro is a bomb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from corpus.extract.latex.label_counters import FORMAT
from corpus.extract.latex.marks import BOX_TITLE

MAX_EXPANSION_DEPTH = 10
MAX_GROWTH_FACTOR = 3
EXTRA_GROWTH_CHARACTERS = 1 << 20
"""Macros may add up to `MAX_GROWTH_FACTOR` times the text and `EXTRA_GROWTH_CHARACTERS` to it; beyond this, nothing
is expanded."""
MAX_BODY_CHARACTERS = 4000
MAX_CHOICES = 20

BRACE = re.compile(r"\\[\\{}]|[{}]")
COMMAND = re.compile(r"\\([A-Za-z@]+)")
_HEAD = re.compile(
    r"\\(?:(?:global|long|outer|protected)\s*\\)*"
    r"((?:New|Renew|Provide|Declare)(?:Expandable)?Document(?:Command|Environment)"
    r"|newcommand|renewcommand|providecommand|DeclareRobustCommand|newrobustcmd|gdef|edef|xdef|def|DeclareMathOperator"
    r"|let|newtheorem|newmdtheoremenv|spnewtheorem|declaretheorem|newenvironment|renewenvironment|newcounter|newif|newsymbol"
    r"|DeclarePairedDelimiter(?:XPP|X)?|(?:re)?newtcolorbox|(?:New|Renew|Declare)TColorBox"
    r"|DeclareMathSymbol|DeclareSymbolFont|newmathsymbol|mathchardef|chardef|theoremstyle|catcode)(?![A-Za-z@])\*?\s*"
)
_NAME = re.compile(r"\{\s*\\([A-Za-z@]+|[^A-Za-z])\s*\}|\\([A-Za-z@]+|[^A-Za-z])")
_OPTION = re.compile(r"\s*\[([^\[\]]*)\]")
_PLAIN_PARAMETERS = re.compile(r"\s*((?:#[1-9])*)\s*(?=\{)")
_LET = re.compile(r"\s*=?\s*\\([A-Za-z@]+)|\s*=?\s*\S")
_GROUP = re.compile(r"\s*(?=\{)")
_SPACE = re.compile(r"[ \t]*\n?[ \t]*")
_COMPUTES = re.compile(
    r"\\(?:if[A-Za-z@]*|expandafter|csname|catcode|futurelet|afterassignment|def|gdef|edef|let|newcommand|vrule|hrule|setbox"
    r"|hbox\s*to|vbox|vcenter|raise|lower|kern|mathchoice|mathpalette|relax|advance|loop|global|special|leaders|rlap|llap"
    r"|hskip|vskip|rule|raisebox|halign|ialign|unitlength|fam|begin\s*\{(?:picture|tikzpicture|pspicture))(?![A-Za-z])"
    r"|\\(?:[A-Za-z]+@|@[A-Za-z@])|##"
)
_PARAMETER = re.compile(r"#([1-9])")
_FORM = re.compile(
    r"[\s+!]*(?:>\s*\{[^{}]*\}\s*)?(?:([mosOtdDrRv])((?:(?<=[tdDrR])[^\sA-Za-z]{1,2})?(?:\{[^{}]*\})?)()|$)"
)
"""An argument of `\\NewDocumentCommand`."""
NO_VALUE = "-NoValue-"
_CHOICE = re.compile(r"\\If(NoValue|Value|Boolean|Blank)(TF|T|F)(?![A-Za-z])")
_DELIMITER_SIZE = re.compile(r"\\delimsize(?![A-Za-z])")
_NEXT_DOT = re.compile(r"\\@?ifnextchar\s*\.\s*\{[^{}]{0,40}\}\s*\{([^{}]{0,40})\}(?![A-Za-z@])")
"""A full stop that is set unless one follows, as in abbreviations."""
_THEOREM_KEY = re.compile(r"(?<![A-Za-z])(?:name|title|heading)\s*=\s*\{?([^,{}\]]+)")
_THEOREM_SHARED = re.compile(r"(?:sibling|numberlike|sharenumber|sharecounter)\s*=\s*\{?\s*(\w+)")
_THEOREM_WITHIN = re.compile(r"(?:numberwithin|within|parent)\s*=\s*\{?\s*(\w+)")
_THEOREM_UNNUMBERED = re.compile(r"numbered\s*=\s*\{?\s*no")


_FONT = re.compile(r"\\font\s*\\([A-Za-z]+)\s*=?\s*([a-z]+)")
_FAMILY = re.compile(r"\\textfont\s*\\([A-Za-z]+)\s*=?\s*\\([A-Za-z]+)")
_FAMILY_GROUP = re.compile(
    r"\{\s*\\fam\s*\\([A-Za-z]+)\s*(?:\\(?:relax|(?:five|seven|ten|eleven|twelve)[a-z]+)(?![A-Za-z])\s*)?"
    r"((?:[^{}]|\{[^{}]*\})*)\}"
)
ALPHABETS = {
    "msbm": "mathbb", "msym": "mathbb", "bbm": "mathbb", "bbold": "mathbb", "dsrom": "mathbb", "eufm": "mathfrak",
    "eufb": "mathfrak", "eusm": "mathscr", "eusb": "mathscr", "rsfs": "mathscr", "cmsy": "mathcal", "cmbx": "mathbf",
    "cmss": "mathsf", "cmtt": "mathtt", "cmr": "mathrm",
}  # fmt: skip
"""Font -> the command of LaTeX that sets formulas in it."""


@dataclass(frozen=True, slots=True)
class Macro:
    """Hold a macro: the number of its arguments, its body, and the default of an optional first argument."""

    arguments: int
    body: str
    default: str | None = None
    """Of its first argument, where that is an option."""
    forms: tuple[tuple[str, str], ...] = ()
    """Of a macro of `\\NewDocumentCommand`, its arguments: a letter (m, o, O, s, t, d, D, r) and what follows it."""


@dataclass(slots=True)
class Definitions:
    """Hold what a paper defines: macros, theorems with their counters, environments."""

    macros: dict[str, Macro] = field(default_factory=dict)
    theorems: dict[str, str] = field(default_factory=dict)
    """Environment -> the name it prints (`Theorem`, `定理`)."""
    counters: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Environment -> the counter of its number, and the section that this begins anew with."""
    environments: dict[str, tuple[Macro, str]] = field(default_factory=dict)
    """Environment -> what stands for its beginning, and for its end."""


class Braces:
    """Find the ends of the groups of a text; the characters scanned for them are bounded, so no text makes it slow."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.room = 8 * len(text) + 10_000

    def find_close(self, at: int) -> int | None:
        """Return where the group that opens at `at` closes; None if none opens, or none closes."""
        text = self.text
        if not text.startswith("{", at):
            return None
        depth = 0
        end = at + self.room
        for match in BRACE.finditer(text, at, end):
            brace = match[0]
            if brace == "{":
                depth += 1
            elif brace == "}":
                depth -= 1
                if not depth:
                    self.room -= match.start() - at
                    return match.start()
        self.room -= min(len(text), end) - at
        return None


def name_alphabets(text: str) -> str:
    """Return the text with LaTeX's command for each letter set in a font that the paper itself loads.

    `{\\fam\\msbfam R}`, where the family `\\msbfam` has the font msbm10, becomes `{\\mathbb{R}}`.
    """
    if "\\fam" not in text:
        return text
    fonts = dict(_FONT.findall(text))
    families = {family: ALPHABETS.get(fonts.get(font, "")) for family, font in _FAMILY.findall(text)}

    def write(match: re.Match[str]) -> str:
        alphabet = families.get(match[1])
        if alphabet is None:
            return match[0]
        letters = match[2].strip()
        return f"{{\\{alphabet}{{{letters}}}}}" if letters else f"{{\\{alphabet}}}"

    return _FAMILY_GROUP.sub(write, text)


def take_definitions(text: str, definitions: Definitions, protected: frozenset[str]) -> str:
    """Return the text without its definitions, which are added to `definitions`; `protected` names are kept.

    What says how a counter is printed stays in the text: it holds from there on.
    """
    pairs = Braces(text)
    pieces: list[str] = []
    at = 0
    for head in _HEAD.finditer(text):
        if head.start() < at:
            continue
        end = _define(text, head, pairs, definitions, protected)
        if end is None:
            continue
        pieces.append(text[at : head.start()])
        if (form := FORMAT.match(text, head.start())) is not None:
            pieces.append(f"\\renewcommand{{\\{form[1]}}}{{{form[2]}}}")
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _define(
    text: str, head: re.Match[str], pairs: Braces, definitions: Definitions, protected: frozenset[str]
) -> int | None:
    """Read the definition behind `head`, and return where it ends, None if it cannot be understood."""
    kind, at = head[1], head.end()
    if kind in ("newtheorem", "newmdtheoremenv", "spnewtheorem", "declaretheorem"):
        return _define_theorem(text, kind, at, pairs, definitions, head[0].rstrip().endswith("*"))
    if kind.lower().endswith("tcolorbox"):
        return _define_box(text, kind, at, pairs, definitions)
    if kind in ("newenvironment", "renewenvironment"):
        return _define_environment(text, at, pairs, definitions)
    if kind.startswith("DeclarePaired"):
        return _define_delimiters(text, kind, at, pairs, definitions, protected)
    if "Document" in kind:
        return _define_document_command(text, kind, at, pairs, definitions, protected)
    if kind in ("newcounter", "theoremstyle"):
        close = pairs.find_close(at)
        return close + 1 if close is not None else None
    named = _NAME.match(text, at)
    if named is None:
        return None
    name, at = named[1] or named[2], named.end()
    if kind == "newif":
        return at
    if kind == "let":
        source = _LET.match(text, at)
        if source is None:
            return None
        if source[1] and name not in protected and source[1] != name:
            definitions.macros[name] = definitions.macros.get(source[1]) or Macro(0, f"\\{source[1]}")
        return source.end()
    if kind not in ("newcommand", "renewcommand", "providecommand", "DeclareRobustCommand", "newrobustcmd", "def",
                    "gdef", "edef", "xdef", "DeclareMathOperator"):  # fmt: skip
        line = text.find("\n", at)
        return line if line >= 0 else len(text)
    arguments, default, plain = 0, None, True
    if kind.endswith("def"):
        parameters = _PLAIN_PARAMETERS.match(text, at)
        if parameters is not None:
            arguments, at = len(parameters[1]) // 2, parameters.end()
        else:
            plain, brace = False, text.find("{", at, at + 200)
            if brace < 0:
                return None
            at = brace
    else:
        if (option := _OPTION.match(text, at)) is not None:
            plain = option[1].strip().isdigit()
            arguments, at = int(option[1]) if plain else 0, option.end()
            if (option := _OPTION.match(text, at)) is not None:
                default, at = option[1], option.end()
        if (group := _GROUP.match(text, at)) is None:
            body = COMMAND.match(text, at)
            if body is None:
                return None
            if name not in protected:
                definitions.macros[name] = Macro(0, body[0])
            return body.end()
        at = group.end()
    close = pairs.find_close(at)
    if close is None:
        return None
    body_text = text[at + 1 : close]
    if kind == "DeclareMathOperator":
        body_text = f"\\operatorname{{{body_text}}}"
    if "nextchar" in body_text:
        body_text = _NEXT_DOT.sub(lambda match: "\\onedot" if "." in match[1] else "", body_text)
    computes = len(body_text) > MAX_BODY_CHARACTERS or _COMPUTES.search(body_text) is not None
    if plain and arguments <= 9 and name not in protected and not computes:
        definitions.macros[name] = Macro(arguments, body_text, default)
    else:
        definitions.macros.pop(name, None)
    return close + 1


def _define_document_command(
    text: str, kind: str, at: int, pairs: Braces, definitions: Definitions, protected: frozenset[str]
) -> int | None:
    """Read `\\NewDocumentCommand{\\name}{m o}{body}`, or an environment in that form; return where it ends."""
    if kind.endswith("Environment"):
        close = pairs.find_close(at)
        if close is None:
            return None
        name, at = text[at + 1 : close].strip(), close + 1
    else:
        named = _NAME.match(text, at)
        if named is None:
            return None
        name, at = named[1] or named[2], named.end()
    groups = []
    for _ in range(3 if kind.endswith("Environment") else 2):
        if (read := _read_group(text, at, pairs)) is None:
            return None
        body, at = read
        groups.append(body)
    forms = _read_forms(groups[0])
    if forms is None or name in protected or any(len(body) > MAX_BODY_CHARACTERS for body in groups[1:]):
        definitions.macros.pop(name, None)
        return at
    macro = Macro(len(forms), groups[1], forms=forms)
    if kind.endswith("Environment"):
        definitions.environments[name] = (macro, groups[2] if "#" not in groups[2] else "")
    elif not _COMPUTES.search(_CHOICE.sub("", groups[1])):
        definitions.macros[name] = macro
    else:
        definitions.macros.pop(name, None)
    return at


def _define_delimiters(
    text: str, kind: str, at: int, pairs: Braces, definitions: Definitions, protected: frozenset[str]
) -> int | None:
    """Read `\\DeclarePairedDelimiter{\\norm}{\\lVert}{\\rVert}`, or its forms with a body; return where it ends.

    The starred use of it has `\\left` and `\\right`, one with an option delimiters of that size: `\\bigl`, `\\bigr`.
    """
    if (named := _NAME.match(text, at)) is None:
        return None
    name, at = named[1] or named[2], named.end()
    arguments = 1
    if kind != "DeclarePairedDelimiter" and (option := _OPTION.match(text, at)) is not None:
        arguments, at = int(option[1]) if option[1].strip() in "1234567" else 1, option.end()
    groups = []
    for _ in range({"DeclarePairedDelimiter": 2, "DeclarePairedDelimiterX": 3}.get(kind, 5)):
        if (read := _read_group(text, at, pairs)) is None:
            return None
        groups.append(read[0].strip())
        at = read[1]
    body = groups.pop() if len(groups) > 2 else "#1"
    before, left, right, behind = groups if len(groups) == 4 else ("", *groups, "")

    def write(opening: str, middle: str, closing: str) -> str:
        inner = _DELIMITER_SIZE.sub(lambda _: middle, _PARAMETER.sub(_shift_parameter, body))
        pre, post = (_PARAMETER.sub(_shift_parameter, part) for part in (before, behind))
        return f"{pre}{opening}{left}{inner}{closing}{right}{post}"

    sized = f"\\IfNoValueTF{{#2}}{{{write('', '', '')}}}{{{write('#2l', '#2', '#2r')}}}"
    starred = write("\\left", "\\middle", "\\right")
    whole = f"\\IfBooleanTF{{#1}}{{{starred}}}{{{sized}}}"
    if name not in protected and len(whole) <= MAX_BODY_CHARACTERS:
        forms = (("s", ""), ("o", ""), *((("m", ""),) * arguments))
        definitions.macros[name] = Macro(len(forms), whole, forms=forms)
    return at


def _shift_parameter(parameter: re.Match[str]) -> str:
    """Return a parameter behind the star and the option that come before it."""
    return f"#{int(parameter[1]) + 2}" if int(parameter[1]) < 8 else ""


def _read_forms(specification: str) -> tuple[tuple[str, str], ...] | None:
    """Return the arguments that a specification such as `s O{x} m` names; None for a form that is not known."""
    forms: list[tuple[str, str]] = []
    at = 0
    while at < len(specification):
        match = _FORM.match(specification, at)
        if match is None:
            return None
        if match[1]:
            forms.append((match[1], match[2] or match[3] or ""))
        at = match.end()
    return tuple(forms) if len(forms) <= 9 else None


def _define_theorem(
    text: str, kind: str, at: int, pairs: Braces, definitions: Definitions, is_starred: bool
) -> int | None:
    if kind == "declaretheorem":
        option = _OPTION.match(text, at)
        at = option.end() if option else at
        close = pairs.find_close(at)
        if close is None:
            return None
        name = text[at + 1 : close].strip()
        settings = option[1] if option else ""
        title = _THEOREM_KEY.search(settings)
        definitions.theorems[name] = title[1].strip() if title else name.capitalize()
        if _THEOREM_UNNUMBERED.search(settings) is None:
            sibling, parent = _THEOREM_SHARED.search(settings), _THEOREM_WITHIN.search(settings)
            own = (name, parent[1] if parent is not None else None)
            counters = definitions.counters
            counters[name] = own if sibling is None else counters.get(sibling[1], (sibling[1], None))
        return close + 1
    if kind == "newmdtheoremenv" and (option := _OPTION.match(text, at)) is not None:
        at = option.end()
    close = pairs.find_close(at)
    if close is None:
        return None
    name, at = text[at + 1 : close].strip(), close + 1
    shared = within = None
    if (option := _OPTION.match(text, at)) is not None:
        shared, at = option[1].strip(), option.end()
    if (read := _read_group(text, at, pairs)) is None:
        return at
    definitions.theorems[name], at = read[0].strip(), read[1]
    if (option := _OPTION.match(text, at)) is not None:
        within, at = option[1].strip(), option.end()
    if not is_starred:
        counter = definitions.counters.get(shared, (shared, None)) if shared else (name, within)
        definitions.counters[name] = counter
    if kind == "spnewtheorem":
        for _ in range(2):
            read = _read_group(text, at, pairs)
            at = read[1] if read is not None else at
    return at


def _read_group(text: str, at: int, pairs: Braces) -> tuple[str, int] | None:
    """Return what is in the group that comes next, and where the text goes on behind it; None if there is none."""
    group = _GROUP.match(text, at)
    close = pairs.find_close(group.end()) if group is not None else None
    return None if group is None or close is None else (text[group.end() + 1 : close], close + 1)


def _define_box(text: str, kind: str, at: int, pairs: Braces, definitions: Definitions) -> int | None:
    """Read `\\newtcolorbox{name}[1]{title=#1}`, or tcolorbox's other form `{name}{m}{title=#1}`."""
    if (option := _OPTION.match(text, at)) is not None:
        at = option.end()
    if (read := _read_group(text, at, pairs)) is None:
        return None
    name, at = read[0].strip(), read[1]
    arguments, default, forms = 0, None, None
    if kind.endswith("newtcolorbox"):
        if (option := _OPTION.match(text, at)) is not None:
            arguments, at = int(option[1]) if option[1].strip().isdigit() else 0, option.end()
            if (option := _OPTION.match(text, at)) is not None:
                default, at = option[1], option.end()
    else:
        if (read := _read_group(text, at, pairs)) is None:
            return None
        forms, at = _read_forms(read[0]), read[1]
        if forms is None:
            return None
    if (read := _read_group(text, at, pairs)) is None:
        return None
    title = BOX_TITLE.search(read[0])
    heading = f"[title={{{title[1].strip()}}}]" if title is not None and "@" not in title[1] else ""
    begin = f"\\begin{{tcolorbox}}{heading}"
    macro = Macro(len(forms), begin, forms=forms) if forms else Macro(arguments, begin, default)
    definitions.environments[name] = (macro, "\\end{tcolorbox}")
    return read[1]


def _define_environment(text: str, at: int, pairs: Braces, definitions: Definitions) -> int | None:
    close = pairs.find_close(at)
    if close is None:
        return None
    name, at = text[at + 1 : close].strip(), close + 1
    arguments, default = 0, None
    if (option := _OPTION.match(text, at)) is not None:
        arguments, at = int(option[1]) if option[1].strip().isdigit() else 0, option.end()
        if (option := _OPTION.match(text, at)) is not None:
            default, at = option[1], option.end()
    bodies = []
    for _ in range(2):
        if (read := _read_group(text, at, pairs)) is None:
            return None
        body, at = read
        bodies.append(body)
    if (
        not any(len(body) > MAX_BODY_CHARACTERS or _COMPUTES.search(body) for body in bodies)
        and "#" not in bodies[1]
    ):
        definitions.environments[name] = (Macro(arguments, bodies[0], default), bodies[1])
    return at


class Expander:
    """Expand macros, within a budget for the whole paper."""

    def __init__(self, definitions: Definitions, characters: int) -> None:
        self.macros, self.environments = definitions.macros, definitions.environments
        self.room = MAX_GROWTH_FACTOR * characters + EXTRA_GROWTH_CHARACTERS
        self.written: dict[str, str] = {}

    def expand(self, text: str, depth: int = 0) -> str:
        """Return the text with the macros in it written out."""
        if depth > MAX_EXPANSION_DEPTH or not (self.macros or self.environments):
            return text
        pieces: list[str] = []
        at = 0
        pairs: Braces | None = None
        macros, environments = self.macros, self.environments
        for match in COMMAND.finditer(text):
            name = match[1]
            closing = ""
            if name in macros:
                macro = macros[name]
                end = match.end()
            elif environments and name in ("begin", "end"):
                brace = text.find("}", match.end(), match.end() + 60)
                inner = text[match.end() : brace + 1].strip() if brace >= 0 else ""
                environment = environments.get(inner[1:-1]) if inner.startswith("{") else None
                if environment is None:
                    continue
                macro, end = (
                    (environment[0], brace + 1) if name == "begin" else (Macro(0, environment[1]), brace + 1)
                )
                closing = " "
            else:
                continue
            start = match.start()
            if start < at:
                continue
            values: list[str] = []
            if macro.arguments:
                if pairs is None:
                    pairs = Braces(text)
                end = read_arguments(text, end, macro, pairs, values)
            if values or closing:
                body = _substitute(macro.body, values)
                if macro.forms:
                    body = resolve_choices(body)
                self.room -= len(body)
                if "\\" in body and self.room > 0:
                    body = self.expand(body, depth + 1)
            elif (known := self.written.get(name)) is not None:
                body = known
                self.room -= len(body)
            else:
                body = self.written[name] = self.expand(macro.body, depth + 1)
                self.room -= len(body)
            if self.room < 0:
                break
            if closing:
                body += closing
            elif body[-1:].isalpha() and text[end : end + 1].isalpha() and COMMAND.search(body[-30:]):
                body += " "
            pieces += [text[at:start], body]
            at = end
        if not pieces:
            return text
        pieces.append(text[at:])
        return "".join(pieces)


def _read_document_arguments(text: str, at: int, macro: Macro, pairs: Braces, values: list[str]) -> int:
    """Read the arguments of a macro of `\\NewDocumentCommand`; one that is not there is `NO_VALUE`."""
    for letter, more in macro.forms:
        if letter in "mvrR":
            at = read_arguments(text, at, Macro(1, ""), pairs, values)
            continue
        space = _SPACE.match(text, at)
        begin = space.end() if space else at
        if letter in "st":
            sign = more[:1] or "*"
            values.append("-True-" if text.startswith(sign, begin) else "-False-")
            at = begin + 1 if text.startswith(sign, begin) else at
            continue
        opening, closing = (more[0], more[1]) if letter in "dD" and len(more) >= 2 else ("[", "]")
        default = more[more.find("{") + 1 : -1] if letter in "OD" and more.endswith("}") else NO_VALUE
        end = text.find(closing, begin) if text.startswith(opening, begin) else -1
        if 0 <= end - begin < MAX_BODY_CHARACTERS:
            values.append(text[begin + 1 : end])
            at = end + 1
        else:
            values.append(default)
    return at


def resolve_choices(body: str) -> str:
    """Return a macro's body with `\\IfNoValueTF` and its like decided by the values that stand in it."""
    for _ in range(MAX_CHOICES):
        match = _CHOICE.search(body)
        if match is None:
            break
        pairs = Braces(body)
        groups: list[str] = []
        at = match.end()
        for _ in range(3 if match[2] == "TF" else 2):
            at = read_arguments(body, at, Macro(1, ""), pairs, groups)
        value = groups[0].strip()
        holds = {
            "NoValue": value == NO_VALUE,
            "Value": value != NO_VALUE,
            "Boolean": value == "-True-",
            "Blank": not value,
        }[match[1]]
        chosen = groups[1] if holds == (match[2] != "F") else groups[2] if match[2] == "TF" else ""
        body = body[: match.start()] + chosen + body[at:]
    return body.replace(NO_VALUE, "")


def read_arguments(text: str, at: int, macro: Macro, pairs: Braces, values: list[str]) -> int:
    """Read a macro's arguments behind `at` into `values`, and return where they end."""
    if macro.forms:
        return _read_document_arguments(text, at, macro, pairs, values)
    wanted = macro.arguments
    if macro.default is not None:
        option = _OPTION.match(text, at)
        values.append(option[1] if option else macro.default)
        at = option.end() if option else at
        wanted -= 1
    for _ in range(wanted):
        space = _SPACE.match(text, at)
        begin = space.end() if space else at
        if (close := pairs.find_close(begin)) is not None:
            values.append(text[begin + 1 : close])
            at = close + 1
        elif command := COMMAND.match(text, begin):
            values.append(command[0])
            at = command.end()
        else:
            end = begin + (2 if text.startswith("\\", begin) else 1)
            values.append(text[begin:end] if text[begin:end] not in ("{", "}", "$", "\n") else "")
            at = end if values[-1] else begin
    return at


def _substitute(body: str, values: list[str]) -> str:
    def value(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        argument = values[place] if place < len(values) else ""
        before = body[max(0, match.start() - 30) : match.start()]
        if argument[:1].isalpha() and before[-1:].isalpha() and re.search(r"\\[A-Za-z@]+$", before):
            return f" {argument}"
        return argument

    return _PARAMETER.sub(value, body)


def define_by_macros(preamble: str, definitions: Definitions, protected: frozenset[str]) -> str:
    """Return a preamble with its macros that define theorems written out and run: `\\mytheorem{lem}{Lemma}`."""
    makers = {name: macro for name, macro in definitions.macros.items() if "\\newtheorem" in macro.body}
    if not makers:
        return preamble
    written = Expander(Definitions(macros=makers), len(preamble)).expand(preamble)
    return take_definitions(written, definitions, protected)
