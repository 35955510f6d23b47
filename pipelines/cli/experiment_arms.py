"""The arms that `corpus experiment compare` names: workspaces, or one under several rule sets or mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.experiments.arms import Arm, default_mixture
from corpus.experiments.prepare import WHAT_IF_FOLDER
from corpus.pipelines.cli.opening import local_folder


def make_arms(
    workspaces: Sequence[str], what_if: Sequence[str], mixtures: Sequence[str], out: Path
) -> list[Arm]:
    """Return the arms that a command line names; decisions under other rules are written below EXP/what-if/."""
    if what_if and mixtures:
        raise UserError("--what-if and --mixture each compare one workspace with itself: give one of them")
    if not (what_if or mixtures):
        if len(workspaces) < 2:
            raise UserError(
                "one workspace alone cannot be compared: name another, or give --what-if or --mixture"
            )
        named = [_split_name(text) for text in workspaces]
        return [
            Arm(
                name=name,
                workspace=str(local_folder("DIR", folder)),
                mixture=default_mixture(folder),
                about=folder,
            )
            for name, folder in named
        ]
    if len(workspaces) > 1:
        option = "--what-if" if what_if else "--mixture"
        raise UserError(f"{option} compares one workspace with itself: name only one")
    _, folder = _split_name(workspaces[0])
    own = default_mixture(folder)
    first = Arm(name="as built", workspace=str(local_folder("DIR", folder)), mixture=own, about=folder)
    if what_if:
        return [first, *(_decide_arm(folder, change, own, out) for change in what_if)]
    from corpus.trainer.mixture import read_mixture

    return [
        first,
        *(
            Arm(
                name=Path(name).stem,
                workspace=first.workspace,
                mixture=read_mixture(name, folder),
                about=f"{folder}, mixture {name}",
            )
            for name in mixtures
        ),
    ]


def _split_name(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if equals and name and "/" not in name:
        return name, folder
    return Path(text).resolve().name, text


def _decide_arm(folder: str, change: str, mixture: Any, out: Path) -> Arm:
    """Return the workspace under other rules as an arm: its decisions and edits are made in a folder of EXP."""
    from corpus.pipelines.beam.loading import keep_pandas_out
    from corpus.pipelines.build.scratch import decide_scratch
    from corpus.pipelines.cli.decide import parse_changes

    keep_pandas_out()
    by_manifest = change.endswith((".yaml", ".yml"))
    name = Path(change).stem if by_manifest else change.replace("/", "-")
    scratch = out / WHAT_IF_FOLDER / storage_name(name)
    changes = {} if by_manifest else parse_changes(change.split(","))
    decide_scratch(folder, change if by_manifest else None, changes, str(scratch))
    return Arm(name=name, workspace=str(scratch), mixture=mixture, about=f"{folder}, with {change}")


def storage_name(name: str) -> str:
    """Return a name as that of a folder."""
    return "".join(c if c.isalnum() or c in "._-=@" else "-" for c in name)
