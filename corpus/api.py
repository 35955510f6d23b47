"""The commands of `corpus` as Python functions: build, plan, decide, compare, sample.

Those that build run in a process of their own, as in a terminal: what is printed is the same, an interrupt ends the
build and not the notebook, and a plug-in that was edited is the new one.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import IO, Any

from corpus.child_process import python_command
from corpus.errors import RunError, UserError
from corpus.workspace import Workspace

Folders = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A folder of plug-ins, or several."""
ERROR_PREFIX = "corpus: "
WRONG_INPUT_STATUS = 2
PLACE = re.compile(r".+?:\d+: ")
"""What the line of a mistake in a file begins with."""


def build(
    manifest: str | PathLike[str],
    out: str | PathLike[str],
    *,
    workers: int = 1,
    plugins: Folders = (),
    retry_quarantine: bool = False,
    beam_options: Sequence[str] = (),
    quiet: bool = False,
) -> Workspace:
    """Build the workspace `out` from a manifest, or resume it, and open it: `corpus build`.

    `workers` are local processes, `plugins` folders of plug-ins, `beam_options` flags such as
    `--runner=DataflowRunner`. Progress goes to standard error, unless `quiet`. Raises UserError for a wrong manifest,
    RunError for a run that failed or kept no document, both with one line.
    """
    arguments = ["build", fspath(manifest), "--out", fspath(out), "--workers", str(workers), "--json"]
    arguments += ["--retry-quarantine"] if retry_quarantine else []
    _run([*arguments, *_name_folders(plugins), *(["--", *beam_options] if beam_options else [])], quiet)
    return Workspace.open(fspath(out))


def plan(
    manifest: str | PathLike[str],
    *,
    documents: int | None = None,
    plugins: Folders = (),
    quiet: bool = False,
) -> dict[str, Any]:
    """Return what a build would do, and a forecast from some of its documents: `corpus plan --json`.

    Keys: name, sources, recipes (the rules of every source), idle (rules without effect), minhash, forecast. Cost:
    that of building `documents` (None: 1,000, of small sources a fifth, in 30 seconds). Raises UserError for a wrong
    manifest, with all its mistakes.
    """
    number = [] if documents is None else ["--documents", str(documents)]
    arguments = ["plan", fspath(manifest), *number, "--json", *_name_folders(plugins)]
    planned: dict[str, Any] = json.loads(_run(arguments, quiet))
    return planned


def decide(
    workspace: str | PathLike[str] | Workspace,
    rules: Mapping[str, float | str] | None = None,
    *,
    manifest: str | PathLike[str] | None = None,
    workers: int = 1,
    plugins: Folders = (),
    quiet: bool = False,
) -> Workspace:
    """Apply changed rules to a finished workspace without reading its input, and open it: `corpus decide`.

    `rules` maps bounds to numbers or `off`: `{"gopher.words.min": 30, "gopher.words.min@tha": "off"}`; `manifest` is
    one with other rules. Raises UserError if documents would have to be read again.
    """
    root = _root(workspace)
    changes = [f"--set={name}={value}" for name, value in (rules or {}).items()]
    given = [fspath(manifest)] if manifest is not None else []
    _run(["decide", root, *given, *changes, "--workers", str(workers), *_name_folders(plugins)], quiet)
    return Workspace.open(root)


def compare(
    workspace: str | PathLike[str] | Workspace,
    rules: Mapping[str, float | str],
    *,
    documents: int = 3,
    plugins: Folders = (),
    quiet: bool = False,
) -> dict[str, Any]:
    """Return what other rules would change in a finished workspace, which stays as it is: `corpus decide --what-if`.

    Keys: rows (by source and language; their `kept`, `bytes` and `tokens` are [before, after]), back and gone (up
    to `documents` examples each), absent, and effects: lines on sources that gain a rule and languages whose own
    values are replaced.
    """
    changes = [f"--what-if={name}={value}" for name, value in rules.items()]
    arguments = ["decide", _root(workspace), *changes, "--samples", str(documents), "--json"]
    difference: dict[str, Any] = json.loads(_run([*arguments, *_name_folders(plugins)], quiet))
    return difference


def sample(
    workspace: str | PathLike[str] | Workspace,
    documents: int = 5,
    *,
    kept: bool | None = True,
    source: str | None = None,
    language: str | None = None,
    rule: str | None = None,
    gate: str | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return documents drawn at random, the same for the same seed, as dicts: text, decisions and `signals`.

    `kept`: True for kept ones, False for dropped ones, None for both; `rule` and `gate` select those that it dropped.
    Cost: reads the small columns of every document, two seconds for a million. Raises UserError for a name that the
    workspace does not have.
    """
    from corpus.inspect.known import check_names, read_language
    from corpus.inspect.samples import DocumentQuery, choose_documents

    opened = Workspace.open(_root(workspace))
    only_kept = False if rule is not None or gate is not None else kept
    try:
        label = None if language is None else read_language(language)
    except ValueError as error:
        raise UserError(str(error)) from None
    query = DocumentQuery(kept=only_kept, source=source, language=label, rule=rule, gate=gate)
    check_names(opened, query)
    return choose_documents(opened, query, documents, seed)


def _root(workspace: str | PathLike[str] | Workspace) -> str:
    return workspace.root if isinstance(workspace, Workspace) else fspath(workspace)


def _name_folders(folders: Folders) -> list[str]:
    if isinstance(folders, str | PathLike):
        folders = [folders]
    return [f"--plugins={fspath(folder)}" for folder in folders]


def _run(arguments: Sequence[str], quiet: bool) -> str:
    """Run a command in a process of its own and return what it printed. Its messages go to standard error."""
    command = python_command("corpus.pipelines.cli", *arguments)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    messages: list[str] = []
    thread = threading.Thread(target=_pass_on, args=(process.stderr, messages, quiet), daemon=True)
    thread.start()
    try:
        printed = process.stdout.read()
        status = process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        thread.join()
    if not status:
        _show(messages, quiet)
        return printed
    _show(messages[:-1], quiet or status == WRONG_INPUT_STATUS)
    said = [line.removeprefix(ERROR_PREFIX) for line in messages]
    if status == WRONG_INPUT_STATUS and said:
        mistakes = [UserError(line) for line in said if PLACE.match(line)]
        raise UserError.join(mistakes) if mistakes else UserError(said[-1])
    raise RunError(said[-1] if said else f"`corpus {arguments[0]}` ended with status {status}")


def _pass_on(stream: IO[str], messages: list[str], quiet: bool) -> None:
    """Copy lines to standard error; the last ones that begin as errors do stay in `messages`, and the very last one."""
    for line in stream:
        if not line.startswith(ERROR_PREFIX) or not all(held.startswith(ERROR_PREFIX) for held in messages):
            _show(messages, quiet)
            messages.clear()
        messages.append(line.rstrip("\n"))


def _show(lines: Sequence[str], quiet: bool) -> None:
    for line in lines if not quiet else ():
        print(line, file=sys.stderr)
