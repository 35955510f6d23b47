"""`corpus urls`: a list of the pages that Reddit submissions link to."""

from __future__ import annotations

import json
from typing import Annotated

import typer

URLS_HELP = """Extract the URLs that Reddit submissions link to into a list with scores, dates and subreddits.

Reads Pushshift dumps of submissions (RS_*.zst, .xz, .bz2 or .gz, as NDJSON or CSV). Lists a URL if the scores of its
submissions add up to --min-score. Leaves out submissions marked over 18, self posts, pictures, video, and domains
without text. Spellings of one address (tracking parameters, mobile and AMP versions) count as one URL. Writes to the
folder given by --out: urls.parquet, the list for `corpus fetch` and for sources of `kind: urls`; counts.parquet, the
numbers left out by reason; failures.parquet, the lines that could not be read.

Example: corpus urls 'dumps/RS_2013-*.zst' --out links --workers 8"""


def urls(
    submissions: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Dump files of Reddit submissions: paths, glob patterns or URLs."
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder to write urls.parquet, counts.parquet and failures.parquet to.",
        ),
    ],
    min_score: Annotated[
        int,
        typer.Option(
            help="Minimum score for a URL to be listed, summed over all submissions that link to it."
        ),
    ] = 3,
    single_post: Annotated[
        bool,
        typer.Option(
            "--single-post",
            help="List a URL only if a single submission has a score of --min-score or more, as "
            "OpenWebText did, instead of the sum over all.",
        ),
    ] = False,
    over_18: Annotated[
        bool, typer.Option("--over-18", help="Include submissions marked over 18 (default: left out).")
    ] = False,
    exclude: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text file of domains to leave out with their subdomains, one per line, in addition "
            "to the built-in list.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=256, help="Number of local worker processes; each reads one dump file at a time."
        ),
    ] = 1,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the numbers of submissions and URLs by reason as JSON instead of a table."
        ),
    ] = False,
) -> None:
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.build.stop import exit_on_signals
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.url_lists.make import make_list
    from corpus.storage.outputs import check_output_folder
    from corpus.web.url_lists.links import LinkRules, read_domains

    check_output_folder("--out", out)
    excluded: tuple[str, ...] = ()
    if exclude is not None:
        try:
            excluded = read_domains(storage.read_text(exclude).splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--exclude {exclude}: cannot read the file: {error}") from None
    rules = LinkRules(min_score=min_score, single_post=single_post, over_18=over_18, exclude=excluded)
    with exit_on_signals():
        totals = make_list(submissions, out, rules, Running(workers=workers))
    if as_json:
        typer.echo(json.dumps(totals["rows"]))
        return
    table = Table("", "", "count", "only reason", box=None)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in totals["rows"]:
        alone = "" if row["alone"] is None else f"{row['alone']:,}"
        table.add_row(row["what"], row["reason"], f"{row['count']:,}", alone)
    make_console().print(table)
    typer.echo(f"{storage.join(out, 'urls.parquet')}")
    if totals["failures"]:
        typer.echo(
            f"{totals['failures']:,} lines could not be read: {storage.join(out, 'failures.parquet')}",
            err=True,
        )
