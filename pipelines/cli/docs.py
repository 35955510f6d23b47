"""`corpus docs`: the pages of the documentation, which lie in every installation."""

from __future__ import annotations

from typing import Annotated

import typer


def docs(
    page: Annotated[
        str | None,
        typer.Argument(
            metavar="PAGE", help="Page to print, such as manifest or sources/warc (default: list them)."
        ),
    ] = None,
) -> None:
    """List the pages of the documentation, or print one, in Markdown.

    Pages name each other as docs/NAME.md: `corpus docs NAME` prints that one. `corpus list manifests` has the ready
    manifests that they mention.

    Example: corpus docs manifest

    Example: corpus docs sources/warc | less
    """
    from corpus.data import list_pages
    from corpus.pipelines.cli.listing import print_rows

    pages = list_pages()
    if page is None:
        rows = [{"page": name, "about": read_title(path.read_text("utf-8"))} for name, path in pages.items()]
        print_rows(rows)
        return
    typer.echo(pages[find_page(page, list(pages))].read_text("utf-8"), nl=False)


def read_title(text: str) -> str:
    """Return the heading of a page in Markdown."""
    return next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")), "")


def find_page(asked: str, pages: list[str]) -> str:
    """Return the name of the page meant by `warc`, `sources/warc`, `docs/sources/warc.md` or README.md.

    Raises UserError for what names no page, or several.
    """
    from corpus.errors import UserError
    from corpus.suggestions import suggest_names

    wanted = asked.removeprefix("./").removeprefix("docs/").partition("#")[0].removesuffix(".md").lower()
    if wanted in pages:
        return wanted
    same = [name for name in pages if name.rpartition("/")[2] == wanted]
    if len(same) == 1:
        return same[0]
    raise UserError(f"no page {asked!r}: {suggest_names(wanted, pages, '`corpus docs` lists')}")
