"""`corpus fetch`: download the pages of a list of URLs."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

import typer

PACE, PAGES, NETWORK = "How fast, and how often", "Which pages", "Network"
"""Headings of the options in the help."""
FETCH_HELP = """Download the pages of a list of URLs into WARC files, and record the outcome of every URL.

Reads URLS; writes to the folder given by --out: the pages (fetch-NNNNN.warc.gz, for sources of `kind: urls` or `warc`),
ledger.parquet with the outcome of every URL, and robots.parquet. If it is interrupted, run the same command to resume:
URLs that have an outcome are not requested again.

Many hosts are asked at once, each by one request at a time, as its robots.txt and crawl-delay allow. Only public
addresses are connected to.

Example: corpus fetch links/urls.parquet --out pages --contact mailto:crawl@example.org"""


def fetch(
    urls: Annotated[
        str,
        typer.Argument(
            metavar="URLS",
            help="List of URLs to download: a Parquet file with a column `url`, such as `corpus urls` "
            "writes.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Local folder for the WARC files and ledgers: a new one, or one to resume with the "
            "same list.",
        ),
    ],
    contact: Annotated[
        str,
        typer.Option(
            help="E-mail address or web page at which site owners can reach you, sent in the "
            "User-Agent header."
        ),
    ],
    agent: Annotated[
        str,
        typer.Option(
            help="Name of the crawler (letters, - and _), looked up in robots.txt and sent in the "
            "User-Agent header."
        ),
    ] = "corpus-fetch",
    hosts: Annotated[
        int,
        typer.Option(
            rich_help_panel=PACE,
            help="Maximum number of hosts to request pages from concurrently, over one connection each "
            "(1 to 4096).",
        ),
    ] = 256,
    rate: Annotated[
        float,
        typer.Option(
            rich_help_panel=PACE,
            help="Maximum requests per second, over all hosts together, with those for robots.txt and retries.",
        ),
    ] = 50.0,
    delay: Annotated[
        float,
        typer.Option(
            rich_help_panel=PACE,
            help="Minimum seconds between requests to the same host; a longer crawl-delay in its "
            "robots.txt is obeyed.",
        ),
    ] = 1.0,
    max_delay: Annotated[
        float,
        typer.Option(
            rich_help_panel=PACE,
            help="Skip the pages of a host whose robots.txt asks for a crawl-delay of more than this "
            "many seconds.",
        ),
    ] = 60.0,
    timeout: Annotated[
        float,
        typer.Option(
            rich_help_panel=PAGES,
            help="Maximum seconds for one request, from connecting to the last byte of the response.",
        ),
    ] = 60.0,
    max_bytes: Annotated[
        str,
        typer.Option(
            rich_help_panel=PAGES,
            help="Maximum size of a page in bytes as transferred, such as 500kB or 10MiB; larger pages "
            "are not stored.",
        ),
    ] = "10MiB",
    max_redirects: Annotated[
        int,
        typer.Option(
            rich_help_panel=PAGES, help="Maximum number of redirects to follow for one URL (0 to 20)."
        ),
    ] = 5,
    content_type: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=PAGES,
            metavar="TYPE",
            help="Store pages of this content type, such as text/html; pages of any other declared "
            "type are skipped. Repeatable (default: text/html, application/xhtml+xml and "
            "text/plain).",
        ),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            rich_help_panel=PACE,
            help="Number of times to retry a request after a failed connection, a timeout or HTTP "
            "status 429, 502, 503 or 504 (0 to 10).",
        ),
    ] = 2,
    retry_wait: Annotated[
        float,
        typer.Option(
            rich_help_panel=PACE,
            help="Seconds to wait before the first retry, doubled for each further one; a Retry-After "
            "header overrides it.",
        ),
    ] = 5.0,
    allow_address: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=NETWORK,
            metavar="NETWORK",
            help="Also connect to addresses in this network, such as 127.0.0.0/8, although it is not "
            "public. Repeatable (default: public addresses only).",
        ),
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=NETWORK,
            metavar="HOST:ADDRESS",
            help="Connect to this IP address for a host name instead of looking it up: "
            "example.org:192.0.2.1, or *:192.0.2.1 for all other names. It must be public or in "
            "an --allow-address network. Repeatable.",
        ),
    ] = None,
    ca_file: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=NETWORK,
            metavar="FILE",
            help="PEM file of certificate authorities to trust in addition to the system's (default: none).",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the number of URLs by outcome as JSON instead of a table.")
    ] = False,
) -> None:
    from pydantic import ValidationError
    from rich.console import Console
    from rich.table import Table

    from corpus import storage
    from corpus.errors import UserError
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.stopping import hear_interrupts
    from corpus.pipelines.cli.watching import show_progress
    from corpus.storage.outputs import check_output_folder
    from corpus.suggestions import describe_wrong_value
    from corpus.web.fetch.crawl import fetch_list
    from corpus.web.fetch.options import FetchOptions
    from corpus.web.fetch.outcomes import FETCH_OUTCOMES

    settings: dict[str, Any] = {
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
        "resolve": dict(_parse_pair(text) for text in resolve or []),
        "ca_file": ca_file,
    }
    if content_type:
        settings["content_types"] = [text.lower() for text in content_type]
    try:
        options = FetchOptions.model_validate(settings)
    except ValidationError as error:
        problem = error.errors()[0]
        name = (
            str(problem["loc"][0])
            .replace("_", "-")
            .removesuffix("es" if problem["loc"][0] == "allow_addresses" else "")
        )
        raise UserError(f"--{name}: {describe_wrong_value(problem)}") from None
    check_output_folder("--out", out)
    if not storage.exists(urls):
        raise UserError(f"{urls}: no such file: give a list of URLs in Parquet, such as `corpus urls` writes")
    console = Console(stderr=True)
    with show_progress() as show, hear_interrupts():
        counts = fetch_list(
            urls,
            out,
            options,
            lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True),
            partial(show, "fetch"),
        )
    if as_json:
        typer.echo(json.dumps(counts))
        return
    table = Table("outcome", "urls", "", box=None)
    table.columns[1].justify = "right"
    for outcome, meaning in FETCH_OUTCOMES.items():
        if outcome in counts:
            table.add_row(outcome, f"{counts[outcome]:,}", meaning)
    make_console().print(table)


def _parse_pair(text: str) -> tuple[str, str]:
    from corpus.errors import UserError

    host, colon, address = text.partition(":")
    if not colon or not host:
        raise UserError(f"--resolve {text}: expected HOST:ADDRESS, such as example.org:192.0.2.1")
    return host, address.strip("[]")
