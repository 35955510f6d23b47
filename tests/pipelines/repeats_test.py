"""Repeated paragraphs, lines and spans against a reference that looks at all text, and in a build."""

from __future__ import annotations

import random
import shutil
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import fsspec
import pytest

import corpus
from corpus.dedup.options import DedupOptions
from corpus.document import Document
from corpus.document_schema import DECISIONS_SCHEMA, DOCUMENTS_SCHEMA, to_documents_batch
from corpus.edits.edit_counts import build_edit_table
from corpus.edits.parts import edits_path, list_edit_steps, read_edits
from corpus.edits.regions import apply_edits
from corpus.errors import RunError, UserError
from corpus.ledger.tables import read_ledger
from corpus.pipelines import repeat_steps, repeats
from corpus.pipelines.beam import packed
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.stages import list_sites
from corpus.pipelines.cli.stats import read_rows
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES
from tests.pipelines.against_test import write

Found = dict[tuple[str, int], list[tuple[int, int, str]]]
"""(split, row) -> its spans."""


@dataclass(frozen=True)
class Stored:
    """A document as a workspace has it after its decisions."""

    text: str | None
    url: str | None = None
    language: str = "eng_Latn"
    kept: bool = True


def store(folder: Path, splits: dict[str, list[Stored]], groups: int = 2, decided: str = "") -> Workspace:
    """Write documents and decisions parts of a source `web`, so many documents in a row group."""
    workspace = Workspace(str(folder))
    for split, documents in splits.items():
        columns = [None, None, None, None, None]
        paths = (workspace.part("documents", "web", split), workspace.part("decisions", "web", split))
        with (
            PartWriter(paths[0], DOCUMENTS_SCHEMA, f"documents {split}") as texts,
            PartWriter(
                paths[1], DECISIONS_SCHEMA, f"decisions {split}{decided}", f"documents {split}"
            ) as decisions,
        ):
            for first in range(0, len(documents), groups):
                rows = documents[first : first + groups]
                texts.write(
                    to_documents_batch(
                        Document(
                            id=f"{split}{first}{at}".rjust(32, "0"), file="f", offset=0, length=0,
                            text=row.text, url=row.url, language=row.language,
                        )
                        for at, row in enumerate(rows)
                    )
                )  # fmt: skip
                kept: list[list[Any]] = [[value] * len(rows) for value in columns]
                kept[-1] = [row.kept for row in rows]
                decisions.write(decisions_table(kept))
    return workspace


def decisions_table(columns: list[list[Any]]) -> Any:
    import pyarrow as pa

    arrays = [pa.array(column, field.type) for column, field in zip(columns, DECISIONS_SCHEMA, strict=True)]
    return pa.table(arrays, schema=DECISIONS_SCHEMA)


def search(
    workspace: Workspace,
    splits: dict[str, list[Stored]],
    options: dict[str, Any],
    workers: int = 1,
    partitions: int | None = 3,
    in_runs: bool | None = None,
) -> Found:
    """The spans that are found; every part is there and has the right documents."""
    claims = Path(workspace.root, "claims")
    shutil.rmtree(claims, ignore_errors=True)
    claims.mkdir(parents=True)
    running = Running(workers=workers)
    names = [("web", split) for split in splits]
    given = DedupOptions.model_validate(options)
    put = repeats.repeats_pipeline(workspace, names[::-1], given, running, str(claims), partitions, in_runs)
    with beam.Pipeline(options=running.options("repeats")) as pipeline:
        put(pipeline)
    assert list_edit_steps(workspace) == ["repeats"]
    found: Found = {}
    for _, split in names:
        for row, edits in read_edits(workspace, "web", split).documents():
            found[split, row] = [(edit.start, edit.end, edit.kind) for edit in edits]
    return found


def pieces(splits: dict[str, list[Stored]], found: Found) -> dict[tuple[str, int], list[str]]:
    return {
        (split, row): [str(splits[split][row].text)[start:end] for start, end, _ in spans]
        for (split, row), spans in found.items()
    }


SPANS = {"spans": {"min_tokens": 17, "min_characters": 32}}


def han(draw: random.Random, length: int) -> str:
    return "".join(chr(0x4E00 + draw.randrange(4000)) for _ in range(length))


def copied(seed: int, documents: int = 24) -> dict[str, list[Stored]]:
    """Chinese texts of random characters, with pieces of 20 to 120 characters from others before or in themselves."""
    draw = random.Random(seed)
    texts: list[str] = []
    for _ in range(documents):
        text = han(draw, draw.randint(0, 300))
        for _ in range(draw.randint(0, 3)):
            of = draw.choice([*texts, text])
            start = draw.randrange(len(of) + 1)
            at = draw.randrange(len(text) + 1)
            text = text[:at] + of[start : start + draw.randint(20, 120)] + text[at:]
        texts.append(text)
    kept = [Stored(text, kept=draw.random() < 0.9) for text in texts]
    return {f"{split:02d}": kept[split::3][:: draw.choice([1, -1])] for split in range(3)}


def reference(splits: dict[str, list[Stored]], window: int) -> Found:
    """All characters in windows that stand wholly before, by the definition."""
    first: dict[str, tuple[int, int]] = {}
    found: Found = {}
    number = 0
    for split in sorted(splits):
        for row, document in enumerate(splits[split]):
            number += 1
            if not document.kept or document.text is None:
                continue
            text, marks = document.text, [False] * len(document.text)
            for at in range(len(text) - window + 1):
                before = first.setdefault(text[at : at + window], (number, at))
                if before[0] != number or before[1] + window <= at:
                    marks[at : at + window] = [True] * window
            spans, start = [], None
            for at, mark in enumerate([*marks, False]):
                if mark and start is None:
                    start = at
                elif not mark and start is not None:
                    spans.append((start, at, "span"))
                    start = None
            if spans:
                found[split, row] = spans
    return found


@pytest.mark.parametrize("seed", range(6))
def test_spans_are_those_of_looking_at_every_window(tmp_path: Path, seed: int) -> None:
    splits = copied(seed)
    expected = reference(splits, 32)
    assert expected
    assert search(store(tmp_path, splits), splits, SPANS) == expected


def test_the_parts_are_the_same_for_any_partitions_workers_and_shuffle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = copied(7, 60)
    options = {**SPANS, "paragraphs": {"documents": 2, "min_characters": 1}, "lines": {"pages": 2}}
    contents = []
    for way in ((1, 1, True), (1, 5, True), (2, 3, True), (1, 2, False), (1, 4, True)):
        if len(contents) == 4:  # as little memory as there can be
            monkeypatch.setattr(repeat_steps, "MAX_HELD_CHARACTERS", 100)
            monkeypatch.setattr(packed, "FLUSH_BYTES", 100)
        workspace = store(tmp_path / str(len(contents)), splits)
        search(workspace, splits, options, *way)
        parts = [edits_path(workspace, "repeats", "web", split) for split in splits]
        contents.append(
            [Path(path).read_bytes() for path in (*parts, workspace.path("edits/repeats/counts.parquet"))]
        )
        assert not Path(workspace.path("edits", "repeats-splits.json")).exists()
    assert all(content == contents[0] for content in contents[1:])


def test_an_object_store_gets_the_same_parts(tmp_path: Path) -> None:
    splits = copied(5)
    workspace, other = store(tmp_path, splits), Workspace("memory://repeats-test/build")
    files = fsspec.filesystem("memory")
    files.put(str(tmp_path), "/repeats-test/build", recursive=True)
    assert search(workspace, splits, SPANS)
    claims = tmp_path / "others"
    claims.mkdir()
    put = repeats.repeats_pipeline(
        other,
        [("web", split) for split in splits],
        DedupOptions.model_validate(SPANS),
        Running(),
        str(claims),
    )
    with beam.Pipeline(options=Running().options("repeats")) as pipeline:
        put(pipeline)
    made = files.find("/repeats-test/build/edits")
    assert len(made) == 4
    for path in made:
        assert files.cat(path) == (tmp_path / path.removeprefix("/repeats-test/build/")).read_bytes()
    files.rm("/repeats-test", recursive=True)


@pytest.mark.parametrize("language", sorted(STORIES))
def test_a_story_that_another_document_has_is_found_in_each_language(tmp_path: Path, language: str) -> None:
    story = STORIES[language].strip()
    draw = random.Random(language)
    around = [han(draw, 40) if language[:3] in ("cmn", "jpn") else "— " + " ".join("абвгд") for _ in range(4)]
    texts = [
        f"{around[0]}\n{story}\n{around[1]}",
        f"{around[2]} [{story}] {around[3]}",
        f"¶{story[: len(story) // 9]}",
    ]
    splits = {
        "a": [Stored(texts[0], language=language)],
        "b": [Stored(text, language=language) for text in texts[1:]],
    }
    workspace = store(tmp_path, splits)
    found = search(workspace, splits, {"spans": True})
    assert pieces(splits, found) == {("b", 0): [story]}
    [counts] = build_edit_table(workspace).to_pylist()
    assert counts == {
        "step": "repeats", "kind": "span", "source": "web", "language": language,
        "documents": 1, "spans": 1, "characters": len(story), "applied": False,
    }  # fmt: skip


def test_short_spans_stay(tmp_path: Path) -> None:
    words = [f"word{at}" for at in range(16)]
    sixteen, seventeen = " ".join(words), " ".join([*words, "last"])
    zh = han(random.Random(0), 32)
    splits = {
        "a": [
            Stored(f"A. {sixteen} B.\n{zh}"),
            Stored(f"C! {sixteen} D!"),
            Stored(f"E {zh[1:]}"),
            Stored(f"F: {zh}"),
        ],
        "b": [Stored(f"G ({seventeen}) H"), Stored(f"I ({seventeen}) J")],
    }
    found = pieces(splits, search(store(tmp_path, splits), splits, SPANS))
    assert found == {("a", 3): [zh], ("b", 1): [f" ({seventeen}) "]}


def test_a_repetition_is_its_own_copy_only_where_it_does_not_overlap(tmp_path: Path) -> None:
    draw = random.Random(1)
    period, tail = han(draw, 7), han(draw, 50)
    splits = {"a": [Stored(period * 30 + tail), Stored("-" * 5000), Stored("=" * 5000 + "\n" + "=" * 5000)]}
    found = search(store(tmp_path, splits), splits, SPANS)
    assert found == {("a", 0): [(35, 210, "span")]}


def test_one_word_a_million_times_takes_linear_time(tmp_path: Path) -> None:
    splits = {"a": [Stored("the " * 250_000), Stored("the " * 250_000), Stored("- " * 500_000)]}
    found = search(store(tmp_path, splits), splits, SPANS)
    assert set(found) == {("a", 0), ("a", 1)} and found["a", 1] == [(0, 1_000_000, "span")]
    [(start, end, _)] = found["a", 0]
    assert start < 100 and end == 1_000_000


def test_no_span_parts_a_letter_from_its_marks(tmp_path: Path) -> None:
    story = STORIES["tha_Thai"].strip()
    tones = (at for at, letter in enumerate(story) if letter == "\u0e49")
    at = next(
        at for at in tones if at > 40 and not any(map(unicodedata.combining, story[at - 1] + story[at + 1]))
    )
    splits = {"a": [Stored(story), Stored("ก" + story[at:] + "x"), Stored(f"{story[:at]}\u0e48 y z")]}
    found = pieces(splits, search(store(tmp_path, splits), splits, SPANS))
    assert found == {("a", 1): [story[at + 1 :]], ("a", 2): [story[: at - 1]]}


@pytest.mark.parametrize("language", ["eng_Latn", "rus_Cyrl", "arb_Arab", "hin_Deva"])
def test_a_span_has_whole_words_where_words_are_spaced(tmp_path: Path, language: str) -> None:
    story = STORIES[language].strip()
    between = story[story.index(" ") : story.rindex(" ") + 1]
    splits = {"a": [Stored(story), Stored(f"ю{story[1:-2]}ю z")]}
    found = pieces(splits, search(store(tmp_path, splits), splits, SPANS))
    assert found == {("a", 1): [between]}


PARAGRAPH = "Subscribe to our newsletter, and never miss a recipe of the week again!"


def test_paragraphs_in_n_documents_are_marked_in_all_but_the_first(tmp_path: Path) -> None:
    blocks = "This licence holds\nfor two lines together."
    texts = [f"Text {at}\n\n{PARAGRAPH}\n\nMore {at} of it.\n\n{blocks}\n" for at in range(4)]
    texts[3] = f"  {PARAGRAPH} \n{PARAGRAPH}\r\nEnd.\n \n{blocks}"
    splits = {
        "a": list(map(Stored, texts[:2])),
        "b": [*map(Stored, texts[2:]), Stored(PARAGRAPH, kept=False)],
    }
    workspace = store(tmp_path, splits)
    for documents in (4, 5):
        options = {"paragraphs": {"documents": documents, "min_characters": 20}}
        found = pieces(splits, search(workspace, splits, options))
        each = [PARAGRAPH, blocks]
        expected = {("a", 1): each, ("b", 0): each, ("b", 1): [PARAGRAPH, *each]}
        assert found == (expected if documents == 4 else {})
    search(workspace, splits, {"paragraphs": {"documents": 4, "min_characters": 20}})
    left = [apply_edits(texts[2 + row], read_edits(workspace, "web", "b").of_row(row)) for row in (0, 1)]
    assert left == ["Text 2\n\nMore 2 of it.", "End."]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_best_document_keeps_what_is_repeated_if_that_is_asked_for(tmp_path: Path, workers: int) -> None:
    line, address = "阅读全文 Read more", "https://news.example.org/"
    texts = [f"{PARAGRAPH}\n\n{line}\n" + "Words. " * count for count in (3, 50, 20)]
    splits = {"a": [Stored(text, f"{address}{at}") for at, text in enumerate(texts[:2])]}
    splits["b"] = [Stored(texts[2], f"{address}2")]
    workspace = store(tmp_path, splits)
    shape = {"paragraphs": {"documents": 3, "min_characters": 20}, "lines": {"pages": 3, "min_characters": 3}}
    firsts = {("a", 1): [PARAGRAPH, PARAGRAPH, line], ("b", 0): [PARAGRAPH, PARAGRAPH, line]}
    best = {("a", 0): [PARAGRAPH, PARAGRAPH, line], ("b", 0): [PARAGRAPH, PARAGRAPH, line]}
    assert sort_pieces(pieces(splits, search(workspace, splits, shape, workers))) == sort_pieces(firsts)
    shape = {name: {**options, "keep": "best"} for name, options in shape.items()}
    for partitions in (1, 4):
        found = search(workspace, splits, shape, workers, partitions)
        assert sort_pieces(pieces(splits, found)) == sort_pieces(best)
    shape["lines"]["keep"] = "first"
    mixed = {("a", 0): [PARAGRAPH], ("a", 1): [PARAGRAPH, line], ("b", 0): [PARAGRAPH, PARAGRAPH, line]}
    assert sort_pieces(pieces(splits, search(workspace, splits, shape, workers))) == sort_pieces(mixed)


def sort_pieces(found: dict[tuple[str, int], list[str]]) -> dict[tuple[str, int], list[str]]:
    return {place: sorted(texts) for place, texts in found.items()}


@pytest.mark.parametrize(
    "line",
    [
        "Accept all cookies",
        "上一篇 | 下一篇",
        "この記事をシェアする",
        "แชร์บทความนี้",
        "شارك المقال",
        "यह भी पढ़ें",
        "Читайте также:",
        "©2024",
    ],
)
def test_lines_on_k_pages_of_a_site_are_marked_on_all_but_the_first(tmp_path: Path, line: str) -> None:
    def page(url: str, *, kept: bool = True) -> Stored:
        return Stored(f"Page {url}\n  {line}\t\n—\nEnd of {url}", url, kept=kept)

    splits = {
        "a": [page("https://news.example.co.uk/1"), page("http://other.example.org/")],
        "b": [page("https://www.example.co.uk/2"), page("https://example.co.uk/3"), Stored(f"x\n{line}\ny")],
        "c": [page("https://a.github.io/"), page("https://b.github.io/"), page("https://c.github.io/"),
              page("http://example.co.uk/4", kept=False)],
    }  # fmt: skip
    workspace = store(tmp_path, splits)
    found = search(workspace, splits, {"lines": {"pages": 3}})
    assert pieces(splits, found) == {("b", 0): [line], ("b", 1): [line]}
    assert search(workspace, splits, {"lines": {"pages": 4}}) == {}


def test_nothing_repeated_and_nothing_at_all(tmp_path: Path) -> None:
    options = {"spans": True, "lines": True, "paragraphs": True}
    alone = {"a": [Stored(STORIES["eng_Latn"])], "b": [Stored(None), Stored(""), Stored("\n \n")], "c": []}
    assert search(store(tmp_path / "alone", alone), alone, options) == {}
    assert search(store(tmp_path / "none", {}), {}, options) == {}
    assert not len(build_edit_table(Workspace(str(tmp_path / "none"))))


def test_a_finished_search_is_not_done_again_but_one_with_other_input_is(tmp_path: Path) -> None:
    splits = copied(3)
    workspace = store(tmp_path, splits)
    path = Path(edits_path(workspace, "repeats", "web", "00"))
    search(workspace, splits, SPANS)
    before, digest = path.stat().st_mtime_ns, read_fingerprint(str(path))
    search(workspace, splits, SPANS)
    assert path.stat().st_mtime_ns == before
    path.unlink()
    search(workspace, splits, SPANS)
    assert read_fingerprint(str(path)) == digest
    changed = {**splits, "01": [Stored(text.text, kept=False) for text in splits["01"]]}
    store(tmp_path, changed, decided="again")
    assert search(workspace, changed, SPANS) == reference(changed, 32)


def test_edits_of_other_documents_are_refused(tmp_path: Path) -> None:
    splits = copied(3)
    workspace = store(tmp_path, splits)
    search(workspace, splits, SPANS)
    part = workspace.part("documents", "web", "00")
    with PartWriter(part, DOCUMENTS_SCHEMA, "others") as documents:
        documents.write(to_documents_batch([]))
    with pytest.raises(RunError, match="input split 00 of web were not made from the documents"):
        read_edits(workspace, "web", "00")


def test_a_build_marks_what_its_kept_documents_repeat(tmp_path: Path) -> None:
    languages = ["eng_Latn", "cmn_Hans", "tha_Thai", "rus_Cyrl"]
    texts = {
        f"{language}{at}": (
            f"{at} {''.join(STORIES[other] for other in pair)}",
            f"https://s.example/{language}{at}",
        )
        for language in languages
        for at, pair in enumerate(((language,), (language, "arb_Arab", "hin_Deva", "jpn_Jpan")))
    }
    manifest = write(tmp_path, "m", texts, "dedup: {minhash: false, spans: true}")
    out = str(tmp_path / "out")
    corpus.build(str(manifest), out)
    workspace = Workspace.open(out)
    assert verify_workspace(out).good
    [(source, split)] = workspace.splits()
    marked = dict(read_edits(workspace, source, split).documents())
    assert len(marked) == 4
    counts = read_ledger(workspace, ["edits"])["edits"].to_pylist()
    assert sum(row["characters"] for row in counts) == sum(
        edit.end - edit.start for edits in marked.values() for edit in edits
    )
    [row] = read_rows(workspace, "edit")
    assert (row["edit"], row["documents"]) == ("span", 4)
    assert '"edits":[{"kind":"span"' in Path(out, "report.html").read_text("utf-8")
    part = Path(edits_path(workspace, "repeats", source, split))
    before = part.read_bytes()
    part.unlink()
    corpus.build(str(manifest), out)
    assert part.read_bytes() == before
    corpus.build(str(write(tmp_path, "m", texts, "dedup: {minhash: false}")), out)
    assert list_edit_steps(workspace) == [] and not part.parent.exists()
    assert not len(read_ledger(workspace, ["edits"])["edits"])


def test_code_takes_part_where_it_is_asked_to(tmp_path: Path) -> None:
    code = "".join(f"total_{at} = first_{at} + second_{at} * weight_{at % 7}\n" for at in range(40))
    on = "https://host.example/"
    splits = {
        "a": [Stored(code, f"{on}{at}", "code_python") for at in range(3)],
        "b": [Stored(f"{at}. {STORIES['tha_Thai']}\n\n{code}", f"{on}p{at}", "tha_Thai") for at in range(3)],
    }
    workspace = store(tmp_path, splits)
    for name, least in (("lines", {"pages": 2}), ("paragraphs", {"documents": 2}), ("spans", {})):
        without = {place for place in search(workspace, splits, {name: least})}
        beside = {place for place in search(workspace, splits, {name: {**least, "code": True}})}
        assert without == {("b", 1), ("b", 2)}, name
        assert beside == {("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)}, name


def test_lines_are_those_of_pages(tmp_path: Path) -> None:
    headings = ("歴史", "История", "References and further reading of the whole article")
    texts = [
        Stored("\n".join(f"{heading}\n{at}{heading}" for heading in headings), "https://w.example/")
        for at in range(3)
    ]
    workspace = store(tmp_path, {"a": texts})

    def find(options: dict[str, Any], sites: list[str] | None) -> int:
        claims = tmp_path / "claims"
        shutil.rmtree(claims, ignore_errors=True)
        claims.mkdir()
        given = DedupOptions.model_validate({"lines": options})
        put = repeats.repeats_pipeline(workspace, [("web", "a")], given, Running(), str(claims), sites=sites)
        with beam.Pipeline(options=Running().options("repeats")) as pipeline:
            put(pipeline)
        return len(read_edits(workspace, "web", "a"))

    assert find({"pages": 2}, None) == 6
    assert find({"pages": 2}, ["web"]) == 6
    assert find({"pages": 2}, ["wiki"]) == 0
    assert find({"pages": 2, "min_characters": 30}, ["web"]) == 2


def test_which_sources_have_pages(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n')
    for name, lines, expected in (
        ("none", "", []),
        ("kinds", "dedup: {lines: true}", ["crawl"]),
        ("named", "dedup: {lines: {sources: wiki}}", ["wiki"]),
        ("wrong", "dedup: {lines: {sources: [crawl, wikis]}}", None),
    ):
        manifest = tmp_path / f"{name}.yaml"
        manifest.write_text(
            f"name: {name}\n{lines}\nsources:\n  crawl: {{kind: jsonl, paths: [x.jsonl]}}\n"
            "  wiki: {kind: wikipedia, paths: [x.jsonl]}\n"
        )
        if expected is None:
            with pytest.raises(UserError, match=r"wrong.yaml.*there is no source wikis: did you mean wiki"):
                make_plan(str(manifest))
        else:
            assert list_sites(make_plan(str(manifest)).file.manifest) == expected


def test_a_text_is_read_three_times_at_the_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = copied(9, 40)
    workspace = store(tmp_path, splits)
    read: dict[int, int] = {}
    whole = repeat_steps._read_texts

    def count(numbers: Any, plan: Any) -> Any:
        for number, text in whole(numbers, plan):
            read[number] = read.get(number, 0) + 1
            yield number, text

    expected = search(workspace, splits, SPANS)
    for name in ("MAX_HELD_CHARACTERS", "MAX_LENT_BYTES"):
        monkeypatch.setattr(repeat_steps, name, 50)
    monkeypatch.setattr(repeat_steps, "_read_texts", count)
    store(tmp_path, splits, decided=" again")
    assert search(workspace, splits, SPANS) == expected
    assert set(read.values()) == {1, 2}  # and once for its anchors


def test_long_passages_are_cut_and_found_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(4)
    long, other = han(draw, 3000), han(draw, 3000)
    splits = {
        "a": [Stored(long), Stored(other)],
        "b": [Stored(f"{han(draw, 50)}{long[1000:2200]}{han(draw, 700)}{long[40:90]}{other[2900:]}")],
    }
    workspace = store(tmp_path, splits)
    monkeypatch.setattr(repeat_steps, "PASSAGE_MARGIN", 64)
    assert search(workspace, splits, SPANS) == reference(splits, 32)
