"""Convert MathML to LaTeX: what a formula states, close to how an author would have typed it."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

MAX_MATHML_DEPTH = 60

_HARD_SPACES = ("\u00a0", "\u2002", "\u2003", "\u2009", "\u202f")
"""Spaces that are kept at the ends of words in a formula."""
_FUNCTIONS = frozenset(
    (
        "arccos",
        "arcsin",
        "arctan",
        "cos",
        "cosh",
        "cot",
        "det",
        "exp",
        "inf",
        "lim",
        "ln",
        "log",
        "max",
        "min",
        "sin",
        "sinh",
        "sup",
        "tan",
        "tanh",
    )
)
_OPERATORS = {
    "\u2061": "", "\u2062": "", "\u2063": "", "\u2064": "", "\u200b": "", "\u2212": "-", "\u2217": "*",
    "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "#": "\\#", "$": "\\$", "\\": "\\backslash ",
}  # fmt: skip
_ACCENTS = {
    "^": "\\hat", "\u02c6": "\\hat", "\u00af": "\\bar", "\u203e": "\\bar", "\u0304": "\\bar", "_": "\\underline",
    "~": "\\tilde", "\u02dc": "\\tilde", "\u2192": "\\vec", "\u20d7": "\\vec", "\u02d9": "\\dot", ".": "\\dot",
    "\u00a8": "\\ddot", "\u02c7": "\\check", "\u23de": "\\overbrace", "\u23df": "\\underbrace",
}  # fmt: skip


def to_latex(element: Any, depth: int = 0) -> str:
    """Return the LaTeX of a MathML element; characters beyond ASCII (α, ∑) are kept."""
    if not isinstance(element.tag, str) or depth > MAX_MATHML_DEPTH:
        return ""
    name = element.tag.rpartition("}")[2]
    if name in ("mi", "mn", "mo", "mtext", "ms"):
        return _convert_token(name, "".join(element.itertext()))
    if name in ("annotation", "annotation-xml", "none", "mprescripts", "mphantom"):
        return ""
    if name == "mspace":
        return " "
    parts = [to_latex(child, depth + 1) for child in element if isinstance(child.tag, str)]
    if name == "mmultiscripts" and parts:
        return _convert_scripts(element, parts)
    if name == "msub" and len(parts) == 2:
        return f"{_brace_base(parts[0])}_{_brace_group(parts[1])}"
    if name == "msup" and len(parts) == 2:
        return f"{_brace_base(parts[0])}^{_brace_group(parts[1])}"
    if name in ("msubsup", "munderover") and len(parts) == 3:
        return f"{_brace_base(parts[0])}_{_brace_group(parts[1])}^{_brace_group(parts[2])}"
    if name == "mfrac" and len(parts) == 2:
        return f"\\frac{{{parts[0].strip()}}}{{{parts[1].strip()}}}"
    if name == "msqrt":
        return f"\\sqrt{{{''.join(parts).strip()}}}"
    if name == "mroot" and len(parts) == 2:
        return f"\\sqrt[{parts[1].strip()}]{{{parts[0].strip()}}}"
    if name in ("mover", "munder") and len(parts) == 2:
        accent = _ACCENTS.get("".join(element[-1].itertext()).strip())
        if accent is not None:
            return f"{accent}{{{parts[0].strip()}}}"
        return f"{_brace_base(parts[0])}{'^' if name == 'mover' else '_'}{_brace_group(parts[1])}"
    if name == "mfenced":
        separator = (element.get("separators") or ",").strip()[:1]
        opening, closing = element.get("open", "("), element.get("close", ")")
        return f"{_OPERATORS.get(opening, opening)}{separator.join(parts)}{_OPERATORS.get(closing, closing)}"
    if name == "mtable":
        return "\\begin{matrix}" + " \\\\ ".join(part.strip() for part in parts) + "\\end{matrix}"
    if name in ("mtr", "mlabeledtr"):
        return " & ".join(part.strip() for part in parts)
    if name == "semantics":
        return parts[0] if parts else ""
    return "".join(parts)


def _convert_scripts(element: Any, parts: list[str]) -> str:
    """Return a base with pairs of scripts behind it and, from `mprescripts` on, before it: `{}_6^{14}C`."""
    names = [child.tag.rpartition("}")[2] for child in element if isinstance(child.tag, str)]
    middle = names.index("mprescripts") if "mprescripts" in names else len(parts)
    before, behind = _write_pairs(parts[middle + 1 :]), _write_pairs(parts[1:middle])
    return "".join([*(f"{{}}{pair}" for pair in before), _brace_base(parts[0]), "{}".join(behind)])


def _write_pairs(scripts: list[str]) -> list[str]:
    """Return subscripts and superscripts that alternate, a pair each; empty ones are left out."""
    pairs = []
    for low, high in zip_longest(scripts[::2], scripts[1::2], fillvalue=""):
        pairs.append(
            (f"_{_brace_group(low)}" if low.strip() else "")
            + (f"^{_brace_group(high)}" if high.strip() else "")
        )
    return [pair for pair in pairs if pair]


def _convert_token(name: str, text: str) -> str:
    stripped = text.strip(" \t\r\n")
    text = " ".join(text.split())
    if name == "mtext":
        before, behind = (
            " " if stripped[at : at + 1] in _HARD_SPACES else "" for at in (0, len(stripped) - 1)
        )
        text = f"{before}{text}{behind}" if text else text
        return f"\\text{{{text}}}" if any(letter.isalpha() for letter in text) else text
    if name == "mi" and len(text) > 1 and text.isalpha() and text.isascii():
        return f"\\{text} " if text in _FUNCTIONS else f"\\mathrm{{{text}}}"
    if name == "mo" and text in _OPERATORS:
        return _OPERATORS[text]
    return "".join(_OPERATORS.get(letter, letter) for letter in text) if name != "mo" else text


def _brace_base(latex: str) -> str:
    latex = latex.strip()
    simple = len(latex) <= 1 or latex.isalnum() or (latex.startswith("\\") and latex[1:].isalpha())
    return latex if simple or (latex.startswith("\\mathrm{") and latex.count("}") == 1) else f"{{{latex}}}"


def _brace_group(latex: str) -> str:
    latex = latex.strip()
    return latex if len(latex) == 1 else f"{{{latex}}}"
