#!/usr/bin/env bash
# A Typer app that is called without its standalone mode hides Ctrl-C: it returns a number.
#
# Expected: with standalone_mode=False errors go to the caller, as Click's documentation says of that mode, so that
#   KeyboardInterrupt is raised, or Click's Abort in its place, and the program can save its work and clean up.
# Happens: the call returns the number 130. A command that itself returns 130 cannot be told from one that was
#   interrupted, and a caller that ignores what the call returns ends with status 0. Click alone raises Abort.
# Matters: pipelines and trainers that start their own work and must save a checkpoint when they are interrupted.
# Versions: typer 0.28.0 and 0.29.2, click 8.5.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

show() {
  "$folder/$1/bin/python" -c "
from importlib import metadata

import click
import typer

app = typer.Typer()


@app.command()
def work() -> None:
    raise KeyboardInterrupt


@click.command()
def plain() -> None:
    raise KeyboardInterrupt


for name, command in (('typer', app), ('click', plain)):
    try:
        print(name, metadata.version(name), 'returns', command([], standalone_mode=False))
    except BaseException as raised:
        print(name, metadata.version(name), 'raises', type(raised).__name__)" 2>/dev/null
}

shown=$(for version in 0.28.0 0.29.2; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet "typer==$version" click==8.5.1 2>/dev/null
  show "$version"
done)
echo "$shown"
[ "$shown" = "typer 0.28.0 returns 130
click 8.5.1 raises Abort
typer 0.29.2 returns 130
click 8.5.1 raises Abort" ]
