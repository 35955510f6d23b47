"""`corpus init`: a first manifest for the files at hand."""

from __future__ import annotations

import os
import re
import shlex
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import RunError, UserError, shorten_line

if TYPE_CHECKING:
    from corpus.pipelines.cli.first_manifest import FirstSource
    from corpus.sources.recognize import Gathering, Recognized

READ_SECONDS = 10.0
"""Seconds in which compressed files are read to their ends, to see whether they have one."""
MAX_NAMED_FILES = 3
NAME_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lo", "Lm", "Nd", "Mn", "Mc"})
"""Categories of the signs that names may have, besides hyphens and underscores."""


def init(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Folders, looked through with all folders below them, and files (default: the current folder).",
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="MANIFEST",
            help="Manifest to write; a file that is there is never overwritten.",
        ),
    ] = "corpus.yaml",
) -> None:
    """Write a first manifest for the files at hand: it looks at them and says which kind of source reads each.

    Knows web archives, dumps of wikis, JSON Lines, CSV and Parquet with the fields of their rows, text, books, articles
    of PubMed, papers in TeX, dumps of Stack Exchange and Reddit, and source code, by their content. Writes a manifest
    that `corpus plan` and `corpus build` take as it is, with comments on what one may change, and lists what it cannot
    read.

    Example: corpus init dumps --out first.yaml
    """
    from corpus.storage import is_remote, write_text
    from corpus.storage.outputs import check_output_file

    given = paths or ["."]
    for path in [*given, out]:
        if is_remote(path):
            raise UserError(f"{path}: `corpus init` looks at local files; name remote ones in the manifest")
    for path in given:
        if not os.path.exists(path):
            raise UserError(f"no such file or folder: {path}")
    if os.path.lexists(out):
        raise UserError(f"--out {out} is there already: name another file, or remove it")
    check_output_file("--out", out)
    folder = os.path.dirname(os.path.abspath(out))
    if not os.path.isdir(folder):
        raise UserError(f"--out {out}: there is no folder {folder}")
    gathering = look_at([os.path.abspath(path) for path in given])
    sources, unread = describe_sources(gathering, folder)
    if not sources:
        reasons = "; ".join(f"{len(names):,} {why}" for why, names in unread.items())
        raise UserError(shorten_line(f"nothing to read in {', '.join(given)}: {reasons or 'no files'}", 1000))
    text = compose(sources, unread, gathering, given, out)
    check_manifest(text, out, sources)
    write_text(out, text)
    print_sources(sources, unread, out)


def look_at(paths: list[str]) -> Gathering:
    """Return what lies below absolute paths, and show how many files were looked at."""
    from corpus.pipelines.cli.watching import show_progress
    from corpus.sources.recognize import gather_files

    with show_progress("files looked at") as show:
        return gather_files(paths, lambda count: show("init", count, None))


def describe_sources(gathering: Gathering, folder: str) -> tuple[list[FirstSource], dict[str, list[str]]]:
    """Return the sources of a manifest in `folder`, and the paths that none of them reads, by reason."""
    from corpus.pipelines.cli.first_manifest import SOURCE_NAMES, FirstSource
    from corpus.sources.recognize import Recognized, describe_filled, make_patterns
    from corpus.storage.names import printable_name

    groups: dict[str, list[str]] = {}
    unread: dict[str, list[str]] = {}
    for path, verdict in sorted(gathering.verdicts.items()):
        if isinstance(verdict, Recognized):
            groups.setdefault(verdict.key, []).append(path)
        else:
            unread.setdefault(verdict.why, []).append(
                printable_name(path.removeprefix(f"{folder.rstrip('/')}/"))
            )
    beside = list_siblings(gathering)
    sources: list[FirstSource] = []
    taken: set[str] = set()
    deadline = time.monotonic() + READ_SECONDS
    for verdict, paths in merge_groups(gathering, list(groups.values())):
        members = set(paths)
        others = {path for path in gathering.verdicts if path not in members} | beside
        patterns = shorten_patterns(make_patterns(paths, others, gathering.closed, gathering.whole), folder)
        name = name_source(SOURCE_NAMES[verdict.kind], paths, taken)
        taken.add(name)
        whats = list(dict.fromkeys(gathering.recognized(path).what for path in paths))
        size = sum(measure(path, gathering) for path in paths)
        empty = describe_filled(gathering.recognized(path) for path in paths)
        notes = (*verdict.notes, *empty, *describe_cut_files(paths, folder, deadline))
        sources.append(FirstSource(name, replace(verdict, notes=notes), paths, patterns, whats, size))
    return sources, dict(sorted(unread.items(), key=lambda item: -len(item[1])))


def describe_cut_files(paths: list[str], folder: str, deadline: float) -> list[str]:
    """Return a line on the files of a source that cannot be read to their ends; none if there are none."""
    from corpus.sources.recognize import find_cut_files
    from corpus.storage.names import printable_name

    cut = find_cut_files(paths, deadline)
    if not cut:
        return []
    named = [
        f"{printable_name(path.removeprefix(f'{folder.rstrip(chr(47))}/'))} ({why})"
        for path, why in list(cut.items())[:MAX_NAMED_FILES]
    ]
    more = f" and {len(cut) - len(named):,} more" if len(cut) > len(named) else ""
    many = "1 of them ends" if len(cut) == 1 else f"{len(cut):,} of them end"
    return [
        f"{many} too early or cannot be read to the end, so a build misses the rest: {', '.join(named)}{more}"
    ]


def merge_groups(gathering: Gathering, groups: list[list[str]]) -> list[tuple[Recognized, list[str]]]:
    """Return sources as (verdict, files): files of one folder whose rows differ in a field or two are one source."""
    from corpus.sources.recognize import merge_verdicts

    merged: list[tuple[Recognized, list[str]]] = []
    for paths in groups:
        verdicts = [gathering.recognized(path) for path in paths]
        whole = replace(verdicts[0], is_short=all(verdict.is_short for verdict in verdicts))
        for at, (verdict, others) in enumerate(merged):
            both = merge_verdicts(verdict, whole) if list_folders(others) & list_folders(paths) else None
            if both is not None:
                merged[at] = both, sorted([*others, *paths])
                break
        else:
            merged.append((whole, paths))
    return merged


def list_folders(paths: list[str]) -> set[str]:
    return {os.path.dirname(path) for path in paths}


def list_siblings(gathering: Gathering) -> set[str]:
    """Return the files beside those that were looked at: what a glob in their folders would name as well."""
    folders = {os.path.dirname(path) for path in gathering.verdicts}
    beside = {os.path.join(folder, name) for folder in folders for name in os.listdir(folder)}
    return {path for path in beside - gathering.verdicts.keys() if not os.path.isdir(path)}


def measure(path: str, gathering: Gathering) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if path in gathering.sizes:
        return gathering.sizes[path]
    from corpus.storage.folders import walk

    return sum(size for _, size in walk(path))


def shorten_patterns(patterns: list[str], folder: str) -> list[str]:
    """Return absolute patterns as a manifest in `folder` writes them: relative where they are inside, and where two
    files of other folders would have the same name in their source."""
    from corpus.sources.inputs import list_files

    top = f"{folder.rstrip('/')}/"
    short = [pattern.removeprefix(top) for pattern in patterns]
    short = [f"./{pattern}" if pattern.startswith("@") else pattern for pattern in short]
    try:
        list_files(short, folder, folders=True)
    except UserError:
        return [os.path.relpath(pattern, folder) for pattern in patterns]
    return short


def name_source(usual: str, paths: list[str], taken: set[str]) -> str:
    """Return a name for a source that no other has: after its kind, or for tables after their file or folder."""
    common = os.path.commonpath(paths) if len(paths) > 1 else paths[0]
    own = _make_name(os.path.basename(common).partition(".")[0])[:40]
    if re.match(r"\d", own):
        own = f"{usual}-{own}"
    choices = [own, usual] if usual == "rows" else [usual, own and own != usual and f"{usual}-{own}"]
    free = [name for name in choices if name and name.casefold() not in {each.casefold() for each in taken}]
    if free:
        return free[0]
    return next(name for at in range(2, 10_000) if (name := f"{usual}-{at}") not in taken)


def _make_name(text: str) -> str:
    """Return the letters and digits of a text, of any script, with hyphens for all else."""
    composed = unicodedata.normalize("NFC", text)
    signs = (
        sign if sign in "_-" or unicodedata.category(sign) in NAME_CATEGORIES else " " for sign in composed
    )
    name = "-".join("".join(signs).split())
    start = next((at for at, sign in enumerate(name) if unicodedata.category(sign)[0] in "LN"), len(name))
    return re.sub(r"-+", "-", name[start:]).rstrip("-_")


def compose(
    sources: list[FirstSource], unread: dict[str, list[str]], gathering: Gathering, given: list[str], out: str
) -> str:
    """Return the text of the manifest."""
    from corpus.pipelines.cli.first_manifest import write_first_manifest

    stem = (
        os.path.basename(os.path.abspath(given[0]))
        if len(given) == 1
        else os.path.splitext(os.path.basename(out))[0]
    )
    name = _make_name(stem)[:40] or "first"
    shown = given if len(given) <= 4 else [*given[:3], "..."]
    command = shlex.join(["corpus", "init", *shown, "--out", out]).replace("\n", " ")
    return write_first_manifest(name, command, shlex.quote(out), sources, unread, gathering.guessed.total())


def check_manifest(text: str, out: str, sources: list[FirstSource]) -> None:
    """Load a manifest as a build would, and list its files. Raises RunError where it does not name what it should."""
    from corpus import storage
    from corpus.manifest import load_manifest
    from corpus.sources.inputs import list_files

    trial = f"{out}.trial"
    storage.write_text(trial, text)
    try:
        loaded = load_manifest(trial)
        for source in sources:
            options = loaded.manifest.sources[source.name]
            files = list_files(options.paths, loaded.folder, options.base, options.folders)
            differing = _difference((file.path for file in files), source.paths)
            if differing:
                raise RunError(
                    f"{source.name}: its paths do not name {differing}: this is a fault of `corpus init`"
                )
    finally:
        storage.remove(trial)


def _difference(listed: Iterable[str], wanted: Iterable[str]) -> str | None:
    """Return a file that only one of two lists has, whatever links lead to it."""
    one, other = ({os.path.realpath(path) for path in paths} for paths in (listed, wanted))
    return next(iter(sorted(one ^ other)), None)


def print_sources(sources: list[FirstSource], unread: dict[str, list[str]], out: str) -> None:
    """Print what was written, what is not read, and what to do next."""
    from rich.text import Text

    from corpus.inspect.readable import format_size, make_printable
    from corpus.pipelines.cli.console import make_console

    console = make_console()

    def say(line: str, style: str = "") -> None:
        console.print(Text(make_printable(line), style), soft_wrap=True)

    for source in sources:
        count = f"{len(source.paths):,} {'input' if len(source.paths) == 1 else 'inputs'}"
        whats = " and ".join(source.whats)
        say(f"{source.name}: {count}, {format_size(source.size)}: {whats} (kind {source.verdict.kind})")
        for note in source.verdict.notes:
            say(f"  {note}", "dim")
    if unread:
        say("not read:")
        for why, names in unread.items():
            more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
            say(f"  {len(names):,}: {why}: {', '.join(names[:3])}{more}")
    say(f"{out} is written: `corpus plan {shlex.quote(out)}` shows what a build would do")
