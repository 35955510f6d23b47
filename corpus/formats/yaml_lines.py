"""Load YAML with the line of every key, and refuse duplicate keys."""

from __future__ import annotations

import re
from typing import Any

import yaml

from corpus.errors import UserError, shorten_line

_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", None)
"""None where PyYAML was built without libyaml."""
_TAG_OR_HEADER = re.compile(r"(?:^|[\s,\[{:-])!|[|>][-+0-9]*#")
_ODD_CHARACTER = re.compile(
    "[^\n -~\u00a1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_SAME_TEXT = re.compile(r'^(?: *(?:#.*|\w+: "[^"\\\n]*")$|\w+: [|>]-?\n(?:(?:  .*)?\n)+)', re.MULTILINE)
"""Text that both parsers read alike: comments, values between quotes on one line, blocks of a key of the root."""
_COLON = re.compile(r":(?:\s|$)")
UNCLOSED = ("while parsing a flow", "while scanning a quoted")
"""What the parser says it was doing when a bracket or a quotation mark was not closed."""
MAX_SHOWN = 60
"""Characters of a wrong line that a message shows."""

KeyPath = tuple[str | int, ...]


def load_yaml(text: str, name: str) -> tuple[Any, dict[KeyPath, int]]:
    """Return the value of a YAML document and the line of every key in it (from 1), by its path from the root.

    Raises UserError (with `name` and the line) if the text is not YAML, a key occurs twice, or
    aliases make the document explode.
    """
    try:
        loader, root = _compose(text)
    except yaml.MarkedYAMLError as error:
        line, problem = _locate_error(error, text)
        raise UserError(f"{name}:{line}: not YAML: {problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{name}:1: not YAML: {str(error).splitlines()[0]}") from None
    if root is None:
        return None, {(): 1}
    lines: dict[KeyPath, int] = {}
    try:
        return _construct_value(loader, root, (), lines, name, [0]), lines
    except RecursionError:
        raise UserError(f"{name}:1: nested too deeply") from None


def _compose(text: str) -> tuple[yaml.SafeLoader, yaml.Node | None]:
    """Return a loader and the root of a document: by libyaml, ten times as fast as PyYAML's own parser.

    Where the two may differ, it is PyYAML that says what is wrong, and what is read.
    """
    if _FAST_LOADER is not None and not _may_differ(text):
        try:
            loader = _FAST_LOADER(text)
            return loader, loader.get_single_node()
        except (yaml.YAMLError, ValueError):
            pass
    loader = yaml.SafeLoader(text)
    return loader, loader.get_single_node()


def _locate_error(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Return the line (from 1) that is wrong, which may be before the one where the parser stopped, and why."""
    problem = str(error.problem or error)
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    if mark is None:
        return 1, problem
    if problem.startswith(("mapping values are not allowed", "expected '<document start>'")):
        lines = text.splitlines()
        start = _find_line_without_colon(lines, mark.line)
        if start is not None:
            return start + 1, f"no colon behind the key: {shorten_line(lines[start].strip(), MAX_SHOWN)}"
        if not problem.startswith("mapping"):
            return mark.line + 1, problem
        return mark.line + 1, f"{problem}: a second colon, or one too deep; quote text with a colon in it"
    if context is None or context.line >= mark.line:
        return mark.line + 1, problem
    if error.context == "while scanning a simple key":
        line = shorten_line(text.splitlines()[context.line].strip(), MAX_SHOWN)
        return context.line + 1, f"no colon behind the key: {line}"
    if error.context is not None and error.context.startswith(UNCLOSED):
        what = error.context.removeprefix("while ")
        return context.line + 1, f"{problem} on line {mark.line + 1}, {what} that begins here"
    return mark.line + 1, problem


def _find_line_without_colon(lines: list[str], stopped: int) -> int | None:
    """Return the line before one with a key that is taken for a part of it, since it has no colon; None for none."""
    at = stopped - 1
    while at >= 0 and (not lines[at].strip() or lines[at].lstrip().startswith("#")):
        at -= 1
    if at < 0 or lines[at].strip() in ("---", "..."):
        return None
    indents = [len(lines[each]) - len(lines[each].lstrip()) for each in (at, stopped)]
    return at if _COLON.search(lines[at]) is None and indents[0] <= indents[1] else None


def _may_differ(text: str) -> bool:
    """Return whether libyaml may take what PyYAML refuses, or otherwise: tabs, other line breaks, `?` inside brackets,
    tags, comments that touch the sign of a block."""
    if _ODD_CHARACTER.search(text) is not None:
        return True
    text = _SAME_TEXT.sub("", text)
    return ("?" in text and ("{" in text or "[" in text)) or _TAG_OR_HEADER.search(text) is not None


def _construct_value(
    loader: yaml.SafeLoader,
    node: yaml.Node,
    path: KeyPath,
    lines: dict[KeyPath, int],
    name: str,
    seen: list[int],
) -> Any:
    seen[0] += 1
    if seen[0] > 100_000:
        raise UserError(f"{name}:{node.start_mark.line + 1}: too large, or its aliases are")
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = _construct_key(loader, key_node, path, name)
            if not isinstance(key, str | int | float | bool):
                raise UserError(f"{_place(name, line, path)} {_describe_odd_key(key_node)}")
            key = key if isinstance(key, str) else str(key_node.value)
            where = (*path, key)
            if key in result:
                raise UserError(
                    f"{name}:{line}: {format_path(where)}: this key stands twice (first on line {lines[where]})"
                )
            lines[where] = line
            result[key] = _construct_value(loader, value_node, where, lines, name, seen)
        return result
    if isinstance(node, yaml.SequenceNode):
        items = []
        for at, item in enumerate(node.value):
            lines[(*path, at)] = item.start_mark.line + 1
            items.append(_construct_value(loader, item, (*path, at), lines, name, seen))
        return items
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise UserError(f"{_place(name, node.start_mark.line + 1, path)} {reason}") from None


def _place(name: str, line: int, path: KeyPath) -> str:
    return f"{name}:{line}: {format_path(path)}:" if path else f"{name}:{line}:"


def _describe_odd_key(node: yaml.Node) -> str:
    """Return what is wrong with a key that YAML reads as no text and no number: null, a date, a list."""
    if not isinstance(node, yaml.ScalarNode):
        return (
            f"a key must be plain text, not a {'list' if isinstance(node, yaml.SequenceNode) else 'mapping'}"
        )
    if not node.value:
        return "a key must be plain text, and one is empty"
    what = (
        "nothing" if node.tag.endswith(":null") else "a date" if node.tag.endswith(":timestamp") else "binary"
    )
    return f"a key must be plain text, and YAML reads {node.value} as {what}: write '{node.value}' in quotes"


def _construct_key(loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath, name: str) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise UserError(f"{_place(name, node.start_mark.line + 1, path)} not a key: {reason}") from None


def format_path(path: KeyPath) -> str:
    """Return a path of keys in the form `sources.web.paths[0]`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """Return the line of a key, or of the nearest key above it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
