"""The command line: `corpus`. Each command is a function in a module of its own."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from typing import Any

import typer

from corpus import __version__
from corpus.errors import RunError, UserError

app = typer.Typer(
    name="corpus",
    help="Build multilingual pre-training corpora, see what every rule did, and train on them.",
    no_args_is_help=True,
    epilog="Errors are one line; --debug with any command shows where they came from.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


WrongUsage = typer.BadParameter.__mro__[1]
"""What typer raises for a wrong command line: an unknown command or option, one without its value."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"corpus {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def _register() -> None:
    """Put the commands on the app. Their modules import what is heavy when they run."""
    from corpus.pipelines.cli import (
        build,
        coverage,
        decide,
        evaluate,
        export,
        fetch,
        generate,
        plan,
        plot,
        report,
        sample,
        stats,
        trace,
        train,
        urls,
        verify,
    )
    from corpus.pipelines.cli import model as models

    app.command("build", help=build.EXAMPLE)(build.build)
    app.command("plan")(plan.plan)
    app.command("decide")(decide.decide)
    app.command("stats")(stats.stats)
    app.command("sample")(sample.sample)
    app.command("report")(report.report)
    app.command("export")(export.export)
    app.command("verify")(verify.verify)
    app.command("coverage")(coverage.coverage)
    app.command("fetch", help=fetch.EXAMPLE)(fetch.fetch)
    app.command("urls", help=urls.EXAMPLE)(urls.urls)
    app.command("train")(train.train)
    app.command("generate")(generate.generate)
    app.command("evaluate")(evaluate.evaluate)
    app.command("trace")(trace.trace)
    app.command("plot")(plot.plot)
    app.add_typer(models.app, name="model")


def _show_usage(error: Any) -> None:
    """What is wrong with the command line, and where the right one is shown, as one line."""
    message = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        return
    command = error.ctx.command_path if error.ctx else "corpus"
    typer.echo(f"corpus: {message.rstrip('.')}; see `{command} --help`", err=True)


def main() -> None:
    """Run the command line: exit status 2 for wrong input, 1 for a failed run, one line for either."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    else:
        warnings.filterwarnings("ignore")
        # Errors are one line; tracebacks of libraries, also of their threads, come with --debug.
        logging.disable(logging.CRITICAL)
        threading.excepthook = lambda _: None
    _register()
    status = 0
    try:
        ended = app(prog_name="corpus", standalone_mode=False)
        status = ended if isinstance(ended, int) else 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except typer.Abort:
        if debug:
            raise
        typer.echo("corpus: the input ends too early (--debug shows where)", err=True)
        status = 1
    except WrongUsage as error:
        _show_usage(error)
        status = 2
    except UserError as error:
        if debug:
            raise
        typer.echo(f"corpus: {error}", err=True)
        status = 2
    except (RunError, OSError) as error:
        if debug:
            raise
        typer.echo(f"corpus: {error}", err=True)
        status = 1
    except ValueError as error:
        if debug or type(error).__name__ != "ArrowInvalid":  # importing Arrow takes too long for --help
            raise
        reason = str(error).partition("\n")[0][:200]
        typer.echo(f"corpus: a file cannot be read ({reason}): `corpus verify DIR` names it", err=True)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads of gRPC and Arrow that still run when the interpreter is taken down can abort it.
    os._exit(status)
