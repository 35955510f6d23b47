"""`corpus urls`: the pages that Reddit linked to, as a list."""

from __future__ import annotations

import json
from typing import Annotated

import typer

EXAMPLE = """Submissions to a list of URLs: one row a page, with scores, dates and subreddits.

Reads Pushshift's dumps (RS_*.zst, .xz, .bz2, .gz, NDJSON or CSV). A page stays if its submissions' scores sum up
to --min-score, without those marked over 18, pictures and video, self posts, and domains without pages of text;
spellings of one address (tracking parameters, mobile and AMP twins) are one. DIR/urls.parquet is the list, for
sources of `kind: urls` and for `corpus fetch`; DIR/counts.parquet says what took the others out.

Example: corpus urls 'dumps/RS_2013-*.zst' --out links --workers 8"""


def urls(
    submissions: Annotated[list[str], typer.Argument(metavar="FILE...", help="Dumps: paths, globs or URLs.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where the list goes.")],
    min_score: Annotated[int, typer.Option(help="Least sum of the scores of a page's submissions.")] = 3,
    single_post: Annotated[
        bool, typer.Option("--single-post", help="OpenWebText's rule: one submission must have that score.")
    ] = False,
    over_18: Annotated[bool, typer.Option("--over-18", help="Take submissions marked over 18 too.")] = False,
    exclude: Annotated[
        str | None, typer.Option(metavar="FILE", help="More domains without text, one a line.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Local processes: a file is one's work.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    from rich.console import Console
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.pipelines.beam.options import Running
    from corpus.pipelines.urls import make_list
    from corpus.web.url_lists.links import LinkRules, read_domains

    excluded: tuple[str, ...] = ()
    if exclude is not None:
        try:
            excluded = read_domains(storage.read_text(exclude).splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--exclude {exclude}: cannot be read: {error}") from None
    rules = LinkRules(min_score=min_score, single_post=single_post, over_18=over_18, exclude=excluded)
    found = make_list(submissions, out, rules, Running(workers=workers))
    if as_json:
        typer.echo(json.dumps(found["rows"]))
        return
    table = Table("", "", "count", "by nothing else", box=None)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in found["rows"]:
        alone = "" if row["alone"] is None else f"{row['alone']:,}"
        table.add_row(row["what"], row["reason"], f"{row['count']:,}", alone)
    Console().print(table)
    typer.echo(f"{storage.join(out, 'urls.parquet')}")
    if found["failures"]:
        typer.echo(
            f"{found['failures']:,} lines could not be read: {storage.join(out, 'failures.parquet')}",
            err=True,
        )
