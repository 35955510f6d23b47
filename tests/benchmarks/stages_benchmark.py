"""The first look, MinHash signatures, tokens and statistics beside datatrove, in turn: documents a CPU second.

    CORPUS_DATA=... python -m tests.benchmarks.stages_benchmark [--rounds 2]

First look: web-open.warc.gz read, every address looked up in the lists, every page in Unicode (theirs drops pages
whose media type it guesses wrongly). The texts are those of every sixth of its pages. Signatures: both cut words and
shingles. Tokens: the same tokenizer, learned from these texts; ours writes a tokens part, theirs its file. Statistics:
ours computes all heuristic signals, applies the rules, counts by source, language, domain, rule and bin, and writes
ledger and report; theirs has the statistics of documents, lines, words and paragraphs, by domain and as histograms,
and no report.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from corpus import filters, storage
from corpus.dedup.options import MinHashOptions
from corpus.dedup.signatures import SignatureStep
from corpus.document import Record
from corpus.extract.html.main_text import extract_main_text
from corpus.filters.url import find_url_gate
from corpus.inspect.report import write_report
from corpus.ledger.tables import write_ledger
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.decide import Judge, decide_part
from corpus.rules.presets import load_rules
from corpus.sources.web.warc import Warc
from corpus.text.page import Page
from corpus.text.words import segment_words
from corpus.tokens import vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from corpus.validation import Shares
from corpus.workspace import Workspace
from tests.benchmarks import bench

HERE = Path(__file__).parent
STEPS = ("text", "gopher", "gopher_repetition", "c4", "fineweb")


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    bench.datatrove()
    path = bench.sample_data() / "warc/web-open.warc.gz"
    found = Warc(paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size)
    records = [record for record in found if isinstance(record, Record) and record.gate is None]
    found_texts = [
        (record.url or "", text)
        for record in records[::6]
        if (text := extract_main_text(bench.decode_page(record), mode="fast"))
    ]
    texts = [text for _, text in found_texts]
    learned = vocabulary.train_tokenizer(
        vocabulary.count_pieces(texts, DEFAULT_PATTERN), TokenizerOptions(vocabulary=32_000)
    )
    encoder, step = Encoder(learned.encode()), SignatureStep(MinHashOptions())
    tokens = len(encoder.encode_batch(texts)[0])

    def signatures() -> None:
        for start in range(0, len(texts), 32):
            step.signatures([segment_words(text, None) for text in texts[start : start + 32]])

    spent: dict[tuple[str, str], float] = {}

    def note(stage: str, side: str, seconds: float) -> None:
        spent[stage, side] = min(seconds, spent.get((stage, side), seconds))

    with tempfile.TemporaryDirectory() as folder:
        given, tokenizer = Path(folder, "texts.jsonl"), Path(folder, "tokenizer.json")
        given.write_text("".join(json.dumps({"url": url, "text": text}) + "\n" for url, text in found_texts))
        tokenizer.write_text(learned)
        manifest = Path(folder, "manifest.yaml")
        manifest.write_text(
            f"name: stages\nsources: {{texts: {{kind: jsonl, paths: [{given}], rules: [fineweb]}}}}\n"
            "tokenizer: {vocabulary: 600}\n"
        )
        workspace = build_workspace(str(manifest), f"{folder}/workspace", Running())
        for turn in range(rounds):
            note("first look", "corpus", cpu(lambda: first_look(path)))
            note("signatures", "corpus", cpu(signatures))
            note("tokens", "corpus", cpu(lambda: encoder.encode_batch(texts)))
            note("statistics", "corpus", cpu(lambda: statistics(workspace)))
            script = [bench.datatrove(), str(HERE / "peers" / "datatrove_stages.py")]
            done = subprocess.run(
                [*script, str(path), str(given), str(tokenizer), f"{folder}/{turn}"],
                capture_output=True,
                text=True,
            )
            if done.returncode:
                sys.exit(done.stderr[-2000:])
            for stage, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                note(stage, "datatrove", seconds)
    table = Table(title=f"{len(texts)} texts, {tokens:,} tokens")
    for column in ("stage", "", "a CPU second", "ours is"):
        table.add_column(column, justify="left" if column in ("stage", "") else "right")
    for (stage, side), seconds in spent.items():
        amount = f"{(len(records) if stage == 'first look' else len(texts)) / seconds:,.0f} documents"
        if stage == "tokens":
            amount = f"{tokens / seconds / 1e6:.2f} Mtokens"
        ratio = seconds / spent[stage, "corpus"]
        table.add_row(stage, side, amount, f"{ratio:.1f} times" if side != "corpus" else "")
    Console(width=100).print(table)


def first_look(path: Path) -> None:
    """Records read, their addresses through the gate, their bodies decoded."""
    for record in Warc(paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size):
        if isinstance(record, Record) and record.gate is None and find_url_gate(record.url or "") is None:
            bench.decode_page(record)


def statistics(workspace: Workspace) -> None:
    """All that a build does to know what it has: signals from text, decisions and counts, ledger, report."""
    loaded = [filters.load_filter(step) for step in STEPS]
    documents = workspace.documents().to_table(columns=["text", "language"])
    for text, language in zip(*(column.to_pylist() for column in documents.columns), strict=True):
        page = Page(text, language)
        for one in loaded:
            one.measure(page)
    for path in [
        *storage.list_files(workspace.path("decisions")),
        *storage.list_files(workspace.path("stats")),
    ]:
        storage.remove(path)
    signals = {signal for step in STEPS for signal in filters.load_filter(step).signals}
    rules = load_rules({"texts": ["fineweb"]}, {}, signals)
    judge = Judge(rules=rules, steps=STEPS, seed=0, thresholds={})
    for source, split in workspace.splits():
        clusters = workspace.path("dedup", "clusters.parquet")
        decide_part(workspace, judge, Shares(0.005, {}), clusters, "", source, split)
    write_ledger(workspace, "", rules, {})
    write_report(workspace)


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
