"""`corpus sample`: show documents of a workspace to a reader."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.inspect.readable import format_things, make_printable
from corpus.inspect.verdicts import (
    MAX_CHARACTERS_SHOWN,
    describe_document,
    describe_own_id,
    describe_signals,
    describe_verdict,
    has_pair,
)
from corpus.pipelines.cli.refusals import refuse_options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from corpus.edits.regions import Region
    from corpus.inspect.differences import Pieces
    from corpus.inspect.samples import DocumentQuery
    from corpus.workspace import Workspace

DOCUMENTS = 5
"""Documents that are shown unless --documents says otherwise."""


def sample(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace to take documents from.")],
    documents: Annotated[
        int,
        typer.Option(
            "-n", "--documents", min=1, help="Number of documents (or quarantined records) to show."
        ),
    ] = DOCUMENTS,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Show dropped documents instead of kept ones.")
    ] = False,
    source: Annotated[
        str | None, typer.Option(help="Only documents from this source, by its name in the manifest.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            help="Only documents in this language: a label such as tha_Thai, or a code such as tha or th for "
            "all scripts."
        ),
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(help="Only documents from this snapshot of a source, such as CC-MAIN-2026-30."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="Only documents whose URL is in this registered domain, such as example.org."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="Only dropped documents that fail this rule (gopher.words.min) or any rule of this "
            "signal (gopher.words); --score shows documents on both sides of its bound."
        ),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(
            help="Only documents that this gate dropped, such as wikipedia.redirect; `corpus stats DIR "
            "--by gate` lists the gates."
        ),
    ] = None,
    score: Annotated[
        str | None,
        typer.Option(
            metavar="SIGNAL=LOW..HIGH",
            help="Only documents with a signal in this range, ends included: gopher.words=40..60, or "
            "gopher.words=..60 with one end left out. Shows kept and dropped documents, each with its value, so "
            "a range around a bound shows both sides of it; with --dropped, only dropped ones.",
        ),
    ] = None,
    duplicates: Annotated[
        bool,
        typer.Option(
            "--duplicates",
            help="Only documents dropped as duplicates, each beside the kept document that it duplicates.",
        ),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Show every dropped document in the duplicate cluster of the document with this id, "
            "each beside the kept one. No other filter goes with it.",
        ),
    ] = None,
    id: Annotated[
        str | None, typer.Option(help="Show only the document with this id, kept or dropped.")
    ] = None,
    quarantine: Annotated[
        bool,
        typer.Option(
            "--quarantine",
            help="Show quarantined records, which could not be read or parsed, instead of documents: "
            "file, offset, reason and error. Only --documents, --source, --reason, --seed and "
            "--json apply to them.",
        ),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(
            help="Show records quarantined for this reason, such as crash or damaged (implies "
            "--quarantine); `corpus stats DIR --by quarantine` lists the reasons."
        ),
    ] = None,
    contaminated: Annotated[
        bool,
        typer.Option(
            "--contaminated",
            help="Show items of evaluation sets that documents hold, each beside the document, and a table of the "
            "sets. Only --documents, --source, --seed and --json apply to them.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Random seed for the selection; the same seed selects the same documents.")
    ] = 0,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Show complete texts instead of the first 1,500 characters; for pairs of duplicates, "
            "also the lines that are equal.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object per line for each document: text, metadata, decisions and signals.",
        ),
    ] = False,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the documents to this HTML file instead of the terminal."),
    ] = None,
    pager: Annotated[
        bool,
        typer.Option(
            help="Show the output in a pager if standard output is a terminal; --no-pager prints it directly."
        ),
    ] = True,
) -> None:
    """Show a random sample of the documents that a workspace kept or dropped, with the reasons.

    Reads documents, decisions and signals of a workspace; writes nothing, except for --html. Filters combine: a
    document is shown if it matches all of them. The same seed selects the same documents. With --duplicates and
    --cluster, each duplicate is shown beside the kept document, with the words marked that only one of them has.

    Example: corpus sample demo-workspace --dropped --rule gopher.words.min -n 3

    Example: corpus sample demo-workspace --quarantine --reason crash
    """
    from corpus.errors import UserError
    from corpus.inspect.known import check_names
    from corpus.inspect.samples import DocumentQuery, choose_documents
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.opening import open_workspace, read_language
    from corpus.storage.outputs import check_output_file

    filters = {
        "--dropped": dropped,
        "--source": source is not None,
        "--language": language is not None,
        "--snapshot": snapshot is not None,
        "--domain": domain is not None,
        "--rule": rule is not None,
        "--gate": gate is not None,
        "--score": score is not None,
        "--duplicates": duplicates,
    }
    if quarantine or reason is not None:
        rest = {
            "--cluster": cluster is not None,
            "--id": id is not None,
            "--full": full,
            "--html": html is not None,
        }
        others = {name: given for name, given in filters.items() if name != "--source"}
        refuse_options("--quarantine" if quarantine else "--reason", {**others, **rest})
    if cluster is not None:
        drawn = {"--documents": documents != DOCUMENTS, "--id": id is not None, "--seed": seed != 0}
        refuse_options("--cluster", {**filters, **drawn})
    if id is not None:
        refuse_options(
            "--id", {"--dropped": dropped, "--documents": documents != DOCUMENTS, "--seed": seed != 0}
        )
    if html is not None:
        refuse_options("--html", {"--json": as_json})
        check_output_file("--html", html)
    if contaminated:
        rest = {
            "--cluster": cluster is not None,
            "--id": id is not None,
            "--html": html is not None,
            "--full": full,
        }
        others = {name: given for name, given in filters.items() if name != "--source"}
        refuse_options(
            "--contaminated", {**others, **rest, "--quarantine": quarantine, "--reason": reason is not None}
        )
        show_contaminated(open_workspace(workspace), documents, seed, source, as_json)
        return
    opened = open_workspace(workspace)
    if quarantine or reason is not None:
        show_quarantine(opened, documents, seed, source, reason, as_json)
        return
    kept: bool | None = not (dropped or rule is not None or gate is not None or duplicates)
    if (score is not None and not dropped) or id is not None:
        kept = None
    wanted = DocumentQuery(
        kept=kept,
        source=source,
        language=read_language(language),
        snapshot=snapshot,
        domain=domain,
        rule=rule,
        gate=gate,
        score=None if score is None else parse_score(score),
        duplicates=duplicates,
        ids=None if id is None else [id],
    )
    check_names(opened, wanted)
    chosen = (
        find_in_cluster(opened, cluster) if cluster else choose_documents(opened, wanted, documents, seed)
    )
    if not chosen:
        raise UserError(explain_no_match(opened, wanted))
    add_relations(opened, chosen, pairs=duplicates or cluster is not None)
    if as_json:
        for row in chosen:
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    asked = None if wanted.score is None else wanted.score[0]
    if html is not None:
        from corpus import storage
        from corpus.inspect.sample_page import build_sample_page

        count = "1 document" if len(chosen) == 1 else f"{len(chosen):,} documents"
        storage.write_text(html, build_sample_page(chosen, f"{count} of {workspace}", full, asked))
        typer.echo(f"{html}: {count}")
        return
    console = make_console()
    with page_output(console) if pager and console.is_terminal else contextlib.nullcontext():
        for row in chosen:
            show_document(console, row, full, asked)


def explain_no_match(workspace: Workspace, wanted: DocumentQuery) -> str:
    """Return why no document matches, and how to see those that nearly do: of the other outcome, or of any with an id.
    Cost: reads the small columns of every document once more."""
    from corpus.inspect.samples import DocumentQuery, count_matches

    root = workspace.root
    if wanted.ids is not None:
        (id,) = wanted.ids
        if not count_matches(workspace, DocumentQuery(ids=wanted.ids)):
            return f"no document in {root} has the id {id}: `corpus sample {root} --json` prints ids"
        return f"the document {id} is in {root}, but is not what the other options select: leave them out"
    if wanted.kept is not None and (
        others := count_matches(workspace, replace(wanted, kept=not wanted.kept))
    ):
        asked, there = ("kept", "dropped") if wanted.kept else ("dropped", "kept")
        match = f"{others:,} {there} {'one does' if others == 1 else 'ones do'}"
        how = "--dropped shows" if wanted.kept else "without --dropped, `corpus sample` shows"
        return f"no {asked} document in {root} matches, but {match}: {how} {'it' if others == 1 else 'them'}"
    return f"no document in {root} matches, kept or dropped: `corpus stats {root}` shows what it contains"


def show_quarantine(
    workspace: Workspace, number: int, seed: int, source: str | None, reason: str | None, as_json: bool
) -> None:
    """Print quarantined records: where they are, how large they are, and what went wrong."""
    from rich.text import Text

    from corpus.errors import UserError
    from corpus.inspect.known import check_source, explain_no_quarantine
    from corpus.ledger.quarantine import sample_quarantine
    from corpus.pipelines.cli.console import make_console

    check_source(workspace, source)
    rows = sample_quarantine(workspace, number, seed, source, reason)
    if not rows:
        raise UserError(explain_no_quarantine(workspace, source, reason))
    console = make_console()
    for row in rows:
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False))
            continue
        size = "" if row["bytes"] is None else f"  {row['bytes']:,} bytes"
        head = Text.assemble(
            (row["reason"], "bold red"), f"  {make_printable(row['source'])}  {row['step']}{size}"
        )
        console.print(head)
        console.print(Text(make_printable(row["error"])))
        place = f"{row['url'] or '-'}  {row['file']} @ {row['offset']} + {row['length']}"
        console.print(Text(make_printable(place), "dim"), soft_wrap=True)
        console.print()


def show_contaminated(
    workspace: Workspace, number: int, seed: int, source: str | None, as_json: bool
) -> None:
    """Print items of evaluation sets beside the documents that hold them, and the table of the sets."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.evidence import choose_hits, read_set_table
    from corpus.inspect.known import check_source
    from corpus.pipelines.cli.console import RULE_WIDTH, make_console

    check_source(workspace, source)
    rows = choose_hits(workspace, number, seed, source)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    console = make_console()
    for row in rows:
        shares = ", ".join(f"{part} {share:.2f}" for part, share in row["parts"].items())
        what = f"{row['set']}/{row['item']}"
        why = f" ({row['reason']})" if row["reason"] else ""
        head = Text.assemble(
            (make_printable(what), "bold"), f"  {row['verdict']}{make_printable(why)}, {row['action']}  ",
            f"score {row['score']:.2f}: {shares}",
        )  # fmt: skip
        console.print(head, soft_wrap=True)
        place = f"{row['source']}  {row['url'] or '-'}  {row['id']}"
        console.print(Text(make_printable(place), "dim"), soft_wrap=True)
        table = Table(box=None, pad_edge=False, expand=True)
        for name in ("document", "item"):
            table.add_column(name, ratio=1, overflow="fold")
        shown = row["passage"][:MAX_CHARACTERS_SHOWN]
        document = [(row["before"], False), (shown, True), (row["after"], False)]
        table.add_row(*[mark_shared(pieces, console) for pieces in (document, row["pieces"])])
        console.print(table, width=None if console.is_terminal else 2 * RULE_WIDTH)
        console.print()
    sets = Table(title="evaluation sets", title_justify="left", title_style="bold", box=None, pad_edge=False)
    names = ("items", "looked_for", "items_hit", "hits", "documents", "cleared", "common")
    for name in ("set", "source", "action"):
        sets.add_column(name, overflow="fold")
    for name in names:
        sets.add_column(name.replace("_", " "), justify="right")
    for row in read_set_table(workspace):
        texts = [Text(make_printable(each)) for each in (row["set"], row["source"] or "all", row["action"])]
        sets.add_row(*texts, *(f"{row[name]:,}" for name in names))
    console.print(sets)


def mark_shared(pieces: list[tuple[str, bool]], console: Console) -> Text:
    """One side of a hit; what the other side has too is bold, or in brackets without colours."""
    from rich.text import Text

    text = Text()
    for piece, shared in pieces:
        shown = make_printable(piece)
        text.append(
            f"[[{shown}]]" if shared and not console.is_terminal else shown, "bold" if shared else "dim"
        )
    return text


def parse_score(text: str) -> tuple[str, float, float]:
    """`gopher.words=40..60`; either end may be left out."""
    from corpus.errors import UserError

    signal, _, limits = text.partition("=")
    low, dots, high = limits.partition("..")
    expected = UserError(
        f"--score {text}: expected SIGNAL=LOW..HIGH, such as gopher.words=40..60 or c4.sentences=..3"
    )
    try:
        least, most = float(low or "-inf"), float(high or "inf")
    except ValueError:
        raise expected from None
    if not dots or not signal or isnan(least) or isnan(most):
        raise expected
    if least > most:
        raise UserError(
            f"--score {text}: {low} is above {high}, so no document can be in this range: "
            f"say {signal}={high}..{low}"
        )
    return signal, least, most


def find_in_cluster(workspace: Workspace, id: str) -> list[dict[str, Any]]:
    """The dropped documents in the duplicate cluster of a document."""
    from corpus.inspect.samples import find_documents, read_cluster

    members = read_cluster(workspace, id)
    rows = find_documents(workspace, [row["removed_id"] for row in members], kept=False)
    return [rows[id] for id in dict.fromkeys(row["removed_id"] for row in members)]


def add_relations(workspace: Workspace, rows: list[dict[str, Any]], pairs: bool) -> None:
    """Adds `relation` (level, similarity, cluster_size) to every duplicate, and `stands`, the name of the document
    that it duplicates; with `pairs` also that document, as `stayed`: id and place alone for one in an earlier build."""
    from corpus.inspect.samples import find_standing, read_old_places, read_relations

    duplicates = [row for row in rows if row["duplicate_of"] is not None]
    ids = [row["id"] for row in duplicates]
    relation_by_id = {row["removed_id"]: row for row in read_relations(workspace, ids)}
    places = read_old_places(workspace, ids)
    standing = find_standing(workspace, {row["duplicate_of"] for row in duplicates})
    for row in duplicates:
        relation = relation_by_id[row["id"]]
        row["relation"] = {name: relation[name] for name in ("level", "similarity", "cluster_size")}
        id = row["duplicate_of"]
        place = places.get((row["id"], id))
        other = standing.get(id) if place is None else None
        if other is not None:
            row["stands"] = describe_document(other)
        else:
            row["stands"] = f"[{id}]" if place is None else f"[{id}] in {place}"
        if pairs:
            names = ("source", "url", "text", "origin")
            row["stayed"] = {"id": id, **{name: other and other[name] for name in names}, "place": place}


@contextlib.contextmanager
def page_output(console: Console) -> Any:
    """Send everything through the pager, in colour; output that fits the screen is printed directly."""
    os.environ.setdefault("LESS", "-FRX")
    with console.pager(styles=True):
        yield


def show_document(console: Console, row: dict[str, Any], full: bool, asked: str | None = None) -> None:
    """Print one document, with the value of a signal that was asked for. Control characters in its text are escaped,
    never sent to the terminal."""
    from rich.rule import Rule
    from rich.text import Text

    from corpus.inspect.samples import shorten_pieces, split_document
    from corpus.pipelines.cli.console import RULE_WIDTH
    from corpus.rules.kept_texts import text_or_reason

    origin = row["origin"]
    width = None if console.is_terminal else RULE_WIDTH
    console.print(Rule(style="dim"), width=width)
    head = Text.assemble(
        (row["id"], "bold"), f"  {make_printable(row['source'])}  {row['language'] or '-'}  ",
        (make_printable(describe_verdict(row)), "green" if row["kept"] else "red"),
    )  # fmt: skip
    console.print(head, soft_wrap=not console.is_terminal)
    place = f"{row['url'] or '-'}  {origin['file']} @ {origin['offset']}{describe_own_id(row)}"
    whole = not console.is_terminal
    console.print(Text(make_printable(place), "dim"), soft_wrap=whole)
    if listed := describe_signals(row, asked):
        console.print(Text(listed, "dim"), soft_wrap=whole)
    console.print()
    if has_pair(row):
        show_pair(console, row, full)
        return
    body = Text(style="" if row["kept"] else "strike")
    for piece, region in shorten_pieces(split_document(row), None if full else MAX_CHARACTERS_SHOWN):
        add_piece(body, piece, region, console)
    console.print(body, soft_wrap=not console.is_terminal)
    left = len(text_or_reason(row)) - MAX_CHARACTERS_SHOWN
    if left > 0 and not full:
        console.print(Text(f"... {left:,} more characters (--full shows them)", "dim"))


def add_piece(body: Text, piece: str, region: Region | None, console: Console) -> None:
    """Add a piece of a text: what is cut or masked is struck through, and what takes its place follows. Without
    colours, brackets mark both."""
    shown = make_printable(piece)
    if region is None:
        body.append(shown)
        return
    mask = make_printable(region.replacement)
    marked = console.is_terminal
    body.append(shown if marked else f"[-{shown}-]", "bold red strike")
    if mask:
        body.append(mask if marked else f"{{+{mask}+}}", "bold green")


def show_pair(console: Console, row: dict[str, Any], full: bool) -> None:
    """Print a duplicate beside the kept document: words that only one has are marked, equal lines are left out."""
    from rich.table import Table
    from rich.text import Text

    from corpus.inspect.differences import compare_lines
    from corpus.pipelines.cli.console import RULE_WIDTH

    pairs = compare_lines(row["text"], row["stayed"]["text"] or "", row["language"], None if full else 1)
    table = Table(box=None, pad_edge=False, expand=True)
    marks = [("[-", "-]", "bold red strike"), ("{+", "+}", "bold green")]
    for name in ("dropped", make_printable(f"kept{describe_own_id(row['stayed'])}")):
        table.add_column(name, ratio=1, overflow="fold")
    for pair in pairs:
        if pair.skipped:
            table.add_row(*[Text(f"... {format_things(pair.skipped, 'equal line')}", "dim")] * 2)
        if pair.one is not None or pair.other is not None:
            sides = [
                mark_differences(side, mark, console)
                for side, mark in zip((pair.one, pair.other), marks, strict=True)
            ]
            table.add_row(*sides)
    console.print(table, width=None if console.is_terminal else 2 * RULE_WIDTH)


def mark_differences(pieces: Pieces | None, mark: tuple[str, str, str], console: Console) -> Text:
    """One side of a line; without colours, brackets mark what the other side lacks."""
    from rich.text import Text

    opening, closing, style = mark
    text = Text()
    for piece, differs in pieces or []:
        shown = make_printable(piece)
        if differs and not console.is_terminal:
            shown = f"{opening}{shown}{closing}"
        text.append(shown, style if differs else "")
    return text
