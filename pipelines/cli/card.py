"""`corpus card`: what an export is, for people, the Hugging Face hub and Croissant."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def card(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="Export to describe: a folder or URL that `corpus export --documents` wrote."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the corpus for people (default: the name in its manifest)."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the export is or will be published, for croissant.json (default: none).",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print what the card describes as JSON instead of a summary line."),
    ] = False,
) -> None:
    """Write the card of an export: README.md as the Hugging Face hub wants it, and croissant.json.

    The card says what the corpus is, where it comes from, under which licences, and what every rule dropped. Its head
    names configurations by language, so that load_dataset(DIR) and load_dataset(DIR, "zho") work. Reads export.json and
    the footers of Parquet files. Writes the two files beside the export, or writes them again; files of these names
    that it did not write are left alone.

    Example: corpus card demo-text

    Example: corpus card demo-text --name "A demo in eighteen languages"
    """
    from corpus.export.hub_card import write_card
    from corpus.inspect.readable import format_count, format_size
    from corpus.storage.outputs import check_output_folder

    check_output_folder("FOLDER", folder)
    written = write_card(folder, name, url)
    if as_json:
        typer.echo(json.dumps(written, ensure_ascii=False))
        return
    names = written["configurations"]
    typer.echo(
        f"{folder}: README.md and croissant.json of {format_count(written['documents'])} documents, "
        f"{format_size(written['bytes'])}, in {len(names):,} configurations ({', '.join(names[:5])}"
        f"{', ...' if len(names) > 5 else ''})"
    )
    if not written["records"]:
        typer.echo(
            "corpus: croissant.json has files and no records, since mlcroissant reads no zstd: "
            "`corpus export --format parquet` makes an export whose records it loads",
            err=True,
        )
