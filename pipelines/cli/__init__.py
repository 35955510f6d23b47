"""Define the command line, `corpus`: each command is a function in a module of the same name.

The files, in the order in which a corpus passes through them:

    __main__.py   python -m corpus.pipelines.cli
    init.py       corpus init: a first manifest for files at hand
    first_manifest.py  its text
    docs.py       corpus docs: the documentation
    listing.py    corpus list: what a manifest can name
    demo.py       corpus demo: the sample, from build to text
    urls.py       corpus urls: list of URLs from Reddit submissions
    fetch.py      corpus fetch: pages of a list into WARCs
    model.py      corpus model: quality classifiers
    calibrate.py  corpus calibrate: values of a language, fairness of rules
    plan.py       corpus plan: forecast of a build
    build.py      corpus build: manifest to workspace
    watching.py   progress: bars in a terminal, lines in a file
    decide.py     corpus decide: other rules on stored signals
    beam_options.py   the options for Beam after --
    plugin_option.py  the option --plugins
    opening.py    opening a workspace for a command
    console.py    consoles for terminals and pipes
    pipes.py      output whose reader goes away
    refusals.py   options that have no effect together, impossible numbers
    stopping.py   Ctrl-C and other signals
    stats.py      corpus stats: counts by source, language and rule
    sample.py     corpus sample: documents to read
    report.py     corpus report: an HTML page of a workspace
    coverage.py   corpus coverage: outcome of every URL of a list
    verify.py     corpus verify: integrity of a workspace
    export.py     corpus export: texts, tokens or a model for other tools
    card.py       corpus card: description of an export, for the hub
    train.py      corpus train: a GPT on the token shards
    plot.py       corpus plot: curves of a training run
    index.py      corpus index: an index of the tokens
    find.py       corpus find: every place of a text in them
    trace.py      corpus trace: documents of a training step
    evaluate.py   corpus evaluate: bits per byte, multiple choice
    experiment.py corpus experiment: corpora compared, larger runs predicted
    experiment_arms.py    the arms that it compares
    experiment_tables.py  what it prints
    bench.py      corpus bench: speed of this machine
    generate.py   corpus generate: text from a trained run
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from corpus import __version__
from corpus.errors import RunError, UserError, shorten_line
from corpus.pipelines.beam.loading import own_process
from corpus.pipelines.cli.pipes import PIPE_STATUS, watch_pipes
from corpus.pipelines.cli.refusals import refuse_numbers
from corpus.pipelines.cli.stopping import INTERRUPTED_STATUS, end_stopped, raise_on_signals, was_interrupted

app = typer.Typer(
    name="corpus",
    help="Build multilingual pre-training corpora, inspect what every rule did, and train models on them.",
    no_args_is_help=True,
    epilog="Errors are one line. Add --debug to any command to see the traceback.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _wrong_usage() -> type[Exception]:
    """The class above `typer.BadParameter`: typer exports no name for it, and keeps it where its version does."""
    usage_error = typer.BadParameter.__mro__[1]
    assert issubclass(usage_error, Exception)
    return usage_error


WrongUsage = _wrong_usage()
"""What typer raises for a wrong command line: an unknown command or option, or an option without a value."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"corpus {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


REWORDED = (
    (r"^(No such command '(.+\.ya?ml)')\.?$", r"\1: `corpus build \2 --out DIR` builds it"),
    (r"'([^']*)' is not a valid int(?:eger)?(?: range)?\b", r"'\1': give a whole number"),
    (r"'([^']*)' is not a valid float(?: range)?\b", r"'\1': give a number"),
    (r"(\S+) is not in the range x>=(\S+?)\.?$", r"\1: give a number of at least \2"),
    (r"(\S+) is not in the range x<=(\S+?)\.?$", r"\1: give a number of at most \2"),
    (r"(\S+) is not in the range (\S+?)<=x<=(\S+?)\.?$", r"\1: give a number from \2 to \3"),
)
"""How typer says it, and how corpus does: see `corpus.suggestions.WRONG_VALUES` for numbers."""
BEAM_OPTION = re.compile(r"(No such option: (--runner|--project|--region|--\w*_\w*))\b")
"""Options of ours have no `_` in their names, and most of Beam's have."""
COMMANDS = (
    "init",
    "demo",
    "docs",
    "list",
    "calibrate",
    "plan",
    "build",
    "decide",
    "stats",
    "sample",
    "report",
    "export",
    "card",
    "verify",
    "coverage",
    "fetch",
    "urls",
    "train",
    "generate",
    "evaluate",
    "index",
    "find",
    "trace",
    "plot",
)
"""In the order of the help. Each is the function of its name in the module of its name."""
MAX_MISTAKES = 10
"""Mistakes of one input that are printed."""
GROUPS = ("model", "experiment", "bench")
"""Commands that have commands of their own."""
OTHERWISE_NAMED = {"list": ("listing", "list_names")}
"""Commands whose module and function have other names."""


def _register(arguments: Sequence[str]) -> None:
    """Register the commands: all of them, or the one that the arguments begin with, which saves .1 s.

    Their modules import heavy dependencies only when a command runs.
    """
    only = arguments[0] if arguments else ""
    chosen = [only] if only in COMMANDS else [] if only in GROUPS else COMMANDS
    for name in chosen:
        place, function = OTHERWISE_NAMED.get(name, (name, name))
        module = import_module(f"corpus.pipelines.cli.{place}")
        app.command(name, help=getattr(module, f"{name.upper()}_HELP", None))(getattr(module, function))
    registered = list(app.registered_commands)
    for name in GROUPS if only not in COMMANDS else ():
        group = import_module(f"corpus.pipelines.cli.{name}")
        app.add_typer(group.app, name=name)
        registered += (group.train if name == "model" else group.app).registered_commands
    for command in registered:
        command.callback = command.callback and refuse_numbers(command.callback)
        command.help = _unwrapped(command.help or getattr(command.callback, "__doc__", None) or "")


def _unwrapped(text: str) -> str:
    """Help text with one line per paragraph, so that the terminal's width decides where it wraps."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _show_usage(error: Any) -> None:
    """Print one line: what is wrong with the command line, and where its help is."""
    message = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        return
    for pattern, advice in REWORDED:
        message = re.sub(pattern, advice, message)
    parameters = error.ctx.command.params if error.ctx else []
    if any(each.name == "beam_options" for each in parameters) and (match := BEAM_OPTION.match(message)):
        dashed = match[2].replace("_", "-")
        is_ours = any(dashed in each.opts for each in parameters)
        advice = f"say {dashed}" if is_ours else "options of Apache Beam come last, after --"
        message = f"{match[1]}: {advice}"
    command = error.ctx.command_path if error.ctx else name_command(sys.argv[1:])
    typer.echo(f"corpus: {message.rstrip('.')}; see `{command} --help`", err=True)


def name_command(arguments: Sequence[str]) -> str:
    """Return the command that arguments begin with, for errors that do not say where they come from."""
    known = arguments[0] if arguments and arguments[0] in (*COMMANDS, *GROUPS) else None
    return f"corpus {known}" if known is not None else "corpus"


def _show_mistakes(error: UserError) -> None:
    """Print a line for each mistake of some input, the first `MAX_MISTAKES` of them."""
    lines = list(dict.fromkeys(str(each) for each in error.all))
    for line in lines[:MAX_MISTAKES]:
        typer.echo(f"corpus: {line}", err=True)
    if len(lines) > MAX_MISTAKES:
        typer.echo(f"corpus: and {len(lines) - MAX_MISTAKES:,} more", err=True)


def main() -> None:
    """Run the command line. Exit status 2 means wrong input, 1 a failed run; either prints one line."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    else:
        warnings.filterwarnings("ignore")
        # Errors are one line; tracebacks, including those of library threads, are shown only with --debug.
        logging.disable(logging.CRITICAL)
        threading.excepthook = lambda _: None
    own_process()
    status = 0
    try:
        raise_on_signals()
        _register(sys.argv[1:])
        watch_pipes(sys.argv[1:])
        ended = app(prog_name="corpus", standalone_mode=False)
        status = ended if isinstance(ended, int) else 0
        if status == INTERRUPTED_STATUS and was_interrupted():  # typer makes this of KeyboardInterrupt
            status = end_stopped(sys.argv[1:])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        status = end_stopped(sys.argv[1:])
    except typer.Abort:
        if debug:
            raise
        typer.echo("corpus: unexpected end of input: add --debug to see where", err=True)
        status = 1
    except WrongUsage as error:
        _show_usage(error)
        status = 2
    except UserError as error:
        if debug:
            raise
        _show_mistakes(error)
        status = 2
    except RunError as error:
        if debug:
            raise
        typer.echo(f"corpus: {error}", err=True)
        status = 1
    except (RuntimeError, MemoryError) as error:
        if debug or "torch" not in sys.modules:  # only commands that compute with it load it
            raise
        from corpus.trainer.failures import describe_failure

        typer.echo(f"corpus: {describe_failure(error)}", err=True)
        status = 1
    except OSError as error:
        if debug:
            raise
        from corpus.storage.outputs import describe_os_error

        typer.echo(f"corpus: {describe_os_error(error)}", err=True)
        status = 1
    except ValueError as error:
        if debug or type(error).__name__ != "ArrowInvalid":  # importing Arrow would slow --help down
            raise
        reason = shorten_line(str(error).partition("\n")[0], 200)
        typer.echo(
            f"corpus: a file cannot be read ({reason}): run `corpus verify DIR` to find out which", err=True
        )
        status = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit:
        status = PIPE_STATUS
    # Not sys.exit: threads of gRPC and Arrow that still run at interpreter shutdown can abort it.
    os._exit(status)
