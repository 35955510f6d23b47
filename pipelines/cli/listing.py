"""`corpus list`: what a manifest can name, as this installation has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

Row = dict[str, str]
"""Column -> what is in it; the first column is the name."""

TOPICS: Mapping[str, str] = {
    "kinds": "kinds of sources: what they read, and their keys in a manifest",
    "presets": "presets of rules, for a source's `rules`",
    "rules": "every bound of every preset",
    "signals": "what the filters measure of every document, and what bounds it",
    "languages": "languages that texts are identified as, with their files of rules and stop words",
    "layouts": "layouts of published corpora, for `fields`",
    "licenses": "sets of licences and the licences in them, for `licenses` of a source of code",
    "mixtures": "mixtures, for `mixture` and `corpus train --mixture`",
    "manifests": "ready manifests, to copy and change",
}
"""What there are lists of."""


def list_names(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="WHAT", help=f"{', '.join(TOPICS)} (default: say what each is)."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="One of them: print its file, as it is; of a kind its keys in a manifest, of a signal or a rule what "
            "is known of it.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as JSON: an object for each.")
    ] = False,
) -> None:
    """List what a manifest can name: kinds of sources, presets, rules, signals, languages, layouts,
    licences, mixtures.

    A terminal gets a table; a pipe or a file gets lines with a tab between columns. Files are named by their paths in
    this installation; a copy beside your manifest, in a folder of the same name (rules, languages, fields, mixtures),
    takes the place of the original.

    Example: corpus list signals | grep words

    Example: corpus list manifests pubmed > pubmed.yaml
    """
    from corpus.errors import UserError
    from corpus.pipelines.cli.refusals import refuse_options
    from corpus.suggestions import suggest_names

    if topic is None:
        rows = [{"list": each, "about": about} for each, about in TOPICS.items()]
    elif topic not in TOPICS:
        raise UserError(f"no list of {topic!r}: {suggest_names(topic, TOPICS)}")
    elif name is not None:
        refuse_options("NAME", {"--json": as_json})
        typer.echo(show_one(topic, name), nl=False)
        return
    else:
        rows = LISTS[topic]()
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        print_rows(rows)


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows as a table in a terminal, otherwise as lines with a tab between columns."""
    from corpus.pipelines.cli.console import make_console

    console = make_console()
    if not console.is_terminal:
        typer.echo("".join("\t".join(row.values()) + "\n" for row in rows), nl=False)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row.values()))
    console.print(table)


def list_kinds() -> list[Row]:
    """Return each kind of source with the first sentence of what is said of it, and its page."""
    from corpus.sources import KINDS

    return [
        {"kind": kind, "reads": _describe_kind(kind)[0], "page": f"corpus docs {_find_kind_page(kind)}"}
        for kind in KINDS
    ]


def _describe_kind(kind: str) -> tuple[str, str]:
    """Return the first sentence of the description of a kind, and all of it."""
    import inspect

    from corpus.sources import source_class

    whole = inspect.cleandoc(source_class(kind).__doc__ or "")
    return _first_sentence(whole), whole


def _find_kind_page(kind: str) -> str:
    """Return the page about a kind; tables and texts of one's own share one."""
    from corpus.data import list_pages

    page = f"sources/{kind}"
    return page if page in list_pages() else "sources/imports"


def list_preset_files() -> list[Row]:
    """Return each preset with what it is and where its values come from."""
    from corpus.rules.presets import list_presets, read_preset

    rows = []
    for name in list_presets():
        preset = read_preset(name)
        about = {"about": _join_lines(preset.description), "source": _join_lines(preset.source)}
        rows.append({"preset": name, **about, "file": _find_file("rules", name)})
    return rows


def list_rules() -> list[Row]:
    """Return each bound of each preset."""
    import math

    from corpus.rules.known_signals import describe_signal
    from corpus.rules.presets import list_presets, read_preset

    bounds = {
        (f"{signal}.{bound}", preset): (signal, value)
        for preset in list_presets()
        for (signal, bound), value in read_preset(preset).rules.items()
    }
    return [
        {
            "rule": rule,
            "preset": preset,
            "bound": "off" if math.isnan(value) else f"{value:.10g}",
            "measures": describe_signal(signal),
        }
        for (rule, preset), (signal, value) in sorted(bounds.items())
    ]


def list_signals() -> list[Row]:
    """Return each signal of our filters."""
    from corpus.inspect.signals_page import describe_range, describe_signal_bounds
    from corpus.rules.known_signals import read_known_signals

    return [
        {
            "signal": signal.name,
            "measures": signal.measures,
            "unit": signal.unit,
            "range": describe_range(signal),
            "bounds": describe_signal_bounds(signal.name).replace("`", ""),
        }
        for signal in read_known_signals().signals.values()
    ]


def list_languages() -> list[Row]:
    """Return each language that a text can be identified as, with its scripts and its file; a script of it that has a
    file of its own has a row of its own."""
    from corpus.languages.labels import labels, language_part
    from corpus.languages.names import name_language
    from corpus.text.conventions import language_files

    known = labels()
    scripts = {code: language.scripts for code, language in known.languages.items()}
    for script, code in known.scripts.items():
        scripts.setdefault(code, (script,))
    for script, alphabets in known.alphabets.items():
        for alphabet in alphabets:
            scripts.setdefault(alphabet.code, (script,))
    files = language_files()
    of_scripts = {name for name in files if "_" in name and language_part(name) in known.nameable}
    return [
        {
            "language": name,
            "name": name_language(name) or "",
            "scripts": name.partition("_")[2] or " ".join(scripts.get(name, ())),
            "file": _find_file("languages", files[name].name) if name in files else "",
        }
        for name in sorted(known.nameable | of_scripts)
    ]


def list_layouts() -> list[Row]:
    """Return each layout of a published corpus."""
    return [
        {
            "layout": name,
            "about": _join_lines(data.get("description", "")),
            "file": _find_file("fields", name),
        }
        for name, data in _read_data_files("fields")
    ]


def list_licenses() -> list[Row]:
    """Return each set of licences, and each licence with its set."""
    from corpus.sources.license_names import UNKNOWN_LICENSE, license_lists

    sets = license_lists().sets
    rows = [{"license": name, "is": f"a set of {len(members)} licences"} for name, members in sets.items()]
    rows += [
        {"license": "all", "is": "every licence, and files without one"},
        {"license": UNKNOWN_LICENSE, "is": "files without a known licence"},
    ]
    return rows + [
        {"license": license, "is": name}
        for name, members in sets.items()
        for license in sorted(members, key=str.casefold)
    ]


def list_mixtures() -> list[Row]:
    """Return each mixture."""
    return [
        {"mixture": name, "about": _read_comment(Path(path).read_text("utf-8")), "file": path}
        for name, path in ((name, _find_file("mixtures", name)) for name in _list_data("mixtures"))
    ]


def list_manifests() -> list[Row]:
    """Return each ready manifest."""
    from corpus.data import data_path

    texts = {path: path.read_text("utf-8") for path in sorted(data_path().glob("*.yaml"))}
    return [
        {"manifest": path.stem, "about": _read_comment(text), "file": str(path)}
        for path, text in texts.items()
        if re.search(r"^sources:", text, re.MULTILINE)
    ]


LISTS: Mapping[str, Callable[[], list[Row]]] = {
    "kinds": list_kinds,
    "presets": list_preset_files,
    "rules": list_rules,
    "signals": list_signals,
    "languages": list_languages,
    "layouts": list_layouts,
    "licenses": list_licenses,
    "mixtures": list_mixtures,
    "manifests": list_manifests,
}


def show_one(topic: str, name: str) -> str:
    """Return the file of one row of a list, or what the list says of it. Raises UserError for an unknown name."""
    from corpus.errors import UserError
    from corpus.suggestions import suggest_names

    rows = LISTS[topic]()
    names = {next(iter(row.values())): row for row in rows}
    wanted = name.rpartition("/")[2].removesuffix(".yaml")
    if topic == "languages" and wanted not in names:
        wanted = _read_language(name, names)
    if wanted not in names:
        raise UserError(f"no {next(iter(rows[0]))} {name!r}: {suggest_names(wanted, names)}")
    if topic == "kinds":
        return describe_keys(wanted)
    path = names[wanted].get("file")
    if path:
        return Path(path).read_text("utf-8")
    same = [row for row in rows if next(iter(row.values())) == wanted]
    return "\n".join("".join(f"{key}: {text}\n" for key, text in row.items() if text) for row in same)


def _read_language(name: str, names: Mapping[str, Row]) -> str:
    """Return the row that a language has by any of its names: that of its label, or of its code."""
    from corpus.errors import UserError
    from corpus.languages.labels import language_part
    from corpus.languages.names import normalize_label

    try:
        label = normalize_label(name)
    except ValueError as error:
        raise UserError(str(error)) from None
    return next((each for each in (label, language_part(label)) if each in names), name)


def describe_keys(kind: str) -> str:
    """Return what is said of a kind, and the keys that a manifest may give it, with their types and defaults."""
    from corpus.sources import source_class
    from corpus.sources.source import Source

    source = source_class(kind)
    given = {"rules": source.default_rules(), "priority": source.default_priority()}
    lines = [_describe_kind(kind)[1], "", "Keys:"]
    for key, field in source.model_fields.items():
        if key == "kind":
            continue
        default = "required" if field.is_required() else _write_default(given.get(key, field.default))
        of_all = "; every kind has it" if key in Source.model_fields else ""
        lines.append(f"  {key}: {name_type(field.annotation)} ({default}{of_all})")
    return "\n".join([*lines, "", f"More: corpus docs {_find_kind_page(kind)}, corpus docs manifest"]) + "\n"


def _write_default(value: Any) -> str:
    from pydantic_core import to_jsonable_python

    return (
        "optional"
        if value is None
        else f"default: {json.dumps(to_jsonable_python(value), ensure_ascii=False)}"
    )


def name_type(annotation: Any) -> str:
    """Return a type in words: `str | None` is text, `Literal["a", "b"]` a or b, a model of keys a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return name_type(arguments[0])
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is list:
        return f"list of {name_type(arguments[0])}"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(name_type(each) for each in arguments if each is not type(None)))
    return TYPE_NAMES.get(getattr(annotation, "__name__", ""), "mapping")


TYPE_NAMES = {"str": "text", "int": "number", "float": "number", "bool": "true or false", "ByteSize": "size"}
"""Types of keys that are no mapping, in words."""


def _read_data_files(folder: str) -> list[tuple[str, dict[str, Any]]]:
    from corpus.data import list_data, read_data
    from corpus.formats.yaml_lines import load_yaml

    return [(name, load_yaml(*read_data(folder, name))[0]) for name in list_data(folder)]


def _list_data(folder: str) -> list[str]:
    from corpus.data import list_data

    return list_data(folder)


def _find_file(folder: str, name: str) -> str:
    from corpus.data import data_path

    return str(data_path(folder, f"{name}.yaml"))


def _join_lines(text: str) -> str:
    return " ".join(text.split())


def _read_comment(text: str) -> str:
    """Return the first sentence of the comment that a file begins with; commands, which are indented, end it."""
    lines: list[str] = []
    for line in text.splitlines():
        words = line.lstrip("#").strip()
        if not line.startswith("#") or not words or (lines and line.lstrip("#").startswith("  ")):
            break
        lines.append(words)
    return _first_sentence(" ".join(lines))


def _first_sentence(text: str) -> str:
    """Return a text up to the first full stop that no small letter and no number follows."""
    return re.split(r"(?<=\.)\s+(?=[^a-z\d])", " ".join(text.split()), maxsplit=1)[0]
