"""`corpus fetch`: the pages of a list, from the web."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

EXAMPLE = """Fetch the pages of a list into standard WARCs, politely, and say what became of every URL.

Keeps to robots.txt and its crawl-delay, asks a host for one page at a time, and connects to public addresses
alone. DIR gets fetch-NNNNN.warc.gz, ledger.parquet (a row a URL) and robots.parquet. Killed or stopped, the same
command goes on and asks for nothing twice.

Example: corpus fetch links/urls.parquet --out pages --contact mailto:crawl@example.org"""


def fetch(
    urls: Annotated[
        str, typer.Argument(metavar="URLS", help="Parquet with a column `url`: `corpus urls` makes it.")
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="A local folder.")],
    contact: Annotated[str, typer.Option(help="E-mail address or page about the crawl, for the user agent.")],
    agent: Annotated[str, typer.Option(help="The name that robots.txt files address.")] = "corpus-fetch",
    hosts: Annotated[int, typer.Option(help="Hosts asked at once, over one connection each.")] = 256,
    rate: Annotated[float, typer.Option(help="Requests a second in all.")] = 50.0,
    delay: Annotated[
        float, typer.Option(help="Seconds between requests to a host; its crawl-delay if longer.")
    ] = 1.0,
    max_delay: Annotated[float, typer.Option(help="A host with a longer crawl-delay is not asked.")] = 60.0,
    timeout: Annotated[float, typer.Option(help="Seconds for a whole exchange.")] = 60.0,
    max_bytes: Annotated[str, typer.Option(help="Largest body, as it is sent.")] = "10MiB",
    max_redirects: Annotated[int, typer.Option(help="Most redirects to a page.")] = 5,
    content_type: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="What is stored [default: HTML and plain text].")
    ] = None,
    retries: Annotated[int, typer.Option(help="After lost connections, timeouts, 429, 502, 503, 504.")] = 2,
    retry_wait: Annotated[
        float, typer.Option(help="Seconds before the first retry; then twice as long.")
    ] = 5.0,
    allow_address: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Ask this network though it is not public.")
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:ADDRESS", help="The address of a name; * for all others."),
    ] = None,
    ca_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Certificates to trust besides.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    from pydantic import ValidationError
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.web.fetch.crawl import fetch_list
    from corpus.web.fetch.options import FetchOptions
    from corpus.web.fetch.outcomes import OUTCOMES

    given: dict[str, Any] = {
        "contact": contact,
        "agent": agent,
        "hosts": hosts,
        "rate": rate,
        "delay": delay,
        "max_delay": max_delay,
        "timeout": timeout,
        "max_bytes": max_bytes,
        "max_redirects": max_redirects,
        "retries": retries,
        "retry_wait": retry_wait,
        "allow_addresses": allow_address or [],
        "resolve": dict(_pair(one) for one in resolve or []),
        "ca_file": ca_file,
    }
    if content_type:
        given["content_types"] = [one.lower() for one in content_type]
    try:
        options = FetchOptions.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        name = (
            str(problem["loc"][0])
            .replace("_", "-")
            .removesuffix("es" if problem["loc"][0] == "allow_addresses" else "")
        )
        raise UserError(f"--{name}: {problem['msg'].removeprefix('Value error, ')}") from None
    if not storage.exists(urls):
        raise UserError(f"no such file: {urls}")
    console = Console(stderr=True)
    columns = (TextColumn("fetch"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("fetch", total=None)
        try:
            counts = fetch_list(
                urls,
                out,
                options,
                lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True),
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            typer.echo("corpus: stopped; the same command goes on from there", err=True)
            raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(counts))
        return
    table = Table("outcome", "urls", "", box=None)
    table.columns[1].justify = "right"
    for outcome, meaning in OUTCOMES.items():
        if outcome in counts:
            table.add_row(outcome, f"{counts[outcome]:,}", meaning)
    Console().print(table)


def _pair(text: str) -> tuple[str, str]:
    from corpus.errors import UserError

    host, colon, address = text.partition(":")
    if not colon or not host:
        raise UserError(f"--resolve {text}: HOST:ADDRESS is expected")
    return host, address.strip("[]")
