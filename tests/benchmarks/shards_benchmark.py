"""From JSON Lines to tokens beside datatrove: CPU seconds and memory of whole processes.

    CORPUS_DATA=... python -m tests.benchmarks.shards_benchmark [--rounds 2]

The texts are those of web-open.warc.gz and of WCXB's pages, as mode `corpus` extracts them: 3,600 in 30 languages.
Both sides identify the language, filter by the rules of FineWeb, remove near-duplicates and encode what is left with
the same tokenizer, learned from these texts. Ours computes every signal of every text, and writes decisions and shards;
theirs stops at the first rule that fails, and its rules are for English: it keeps fewer texts, and so encodes less.
Start-up, which is what the same command takes for one text, is left out on both sides.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from corpus.document import Record
from corpus.extract.html.blocks.training.gold_pages import read_gold_folder
from corpus.extract.html.main_text import extract_main_text
from corpus.languages.models import lid_path
from corpus.sources.web.warc import Warc
from corpus.tokens import vocabulary
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from corpus.workspace import Workspace
from tests.benchmarks import bench
from tests.benchmarks.whole_commands import Spent, build_command, count_kept, measure_command

PEER = Path(__file__).parent / "peers" / "datatrove_shards.py"
Command = Callable[[Path, Path], list[str]]


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    bench.datatrove()
    rows = list_texts(bench.sample_data())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokenizer = folder / "tokenizer.json"
        counts = vocabulary.count_pieces([row["text"] for row in rows], DEFAULT_PATTERN)
        tokenizer.write_text(vocabulary.train_tokenizer(counts, TokenizerOptions(vocabulary=32_000)))
        sides: dict[str, Command] = {
            "datatrove": partial(theirs, tokenizer),
            "corpus": partial(ours, tokenizer),
        }
        spent: dict[str, list[Spent]] = {side: [] for side in sides}
        made: dict[str, tuple[int, int]] = {}
        texts, one = folder / "texts.jsonl", folder / "one.jsonl"
        texts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        for turn in range(rounds):
            for side, command in sides.items():
                both = []
                for path in (texts, one):
                    out = folder / f"{side}-{turn}-{path.stem}"
                    both.append(measure_command(command(path, out)))
                    if path is texts:
                        made[side] = count_written(side, out)
                        if not one.exists():
                            one.write_text(read_kept(out))
                spent[side].append(Spent(both[0].seconds - both[1].seconds, both[0].megabytes))
    show(rows, spent, made)


def list_texts(data: Path) -> list[dict[str, str]]:
    warc = data / "warc" / "web-open.warc.gz"
    records = Warc(paths=[str(warc)]).read(str(warc), warc.name, 0, warc.stat().st_size)
    pages = [
        (record.url or "", bench.decode_page(record))
        for record in records
        if isinstance(record, Record) and record.gate is None
    ]
    gold = read_gold_folder(str(data / "html_gold" / "wcxb")).pages
    pages += [(f"https://{page.site}/{page.name}", page.html) for page in gold]
    return [
        {"url": url, "text": text} for url, html in pages if (text := extract_main_text(html, mode="corpus"))
    ]


def read_kept(out: Path) -> str:
    """Return a line of a text that datatrove keeps, so that all of its steps begin for one text, too."""
    path = next((out / "kept").rglob("*.parquet"))
    row = pq.read_table(path).slice(0, 1).to_pylist()[0]
    return json.dumps({"url": row["metadata"]["url"], "text": row["text"]}) + "\n"


def ours(tokenizer: Path, texts: Path, out: Path) -> list[str]:
    manifest = out.with_suffix(".yaml")
    manifest.write_text(
        f"name: shards\ntokenizer: {tokenizer}\n"
        f"sources: {{texts: {{kind: jsonl, paths: [{texts}], rules: [fineweb, language]}}}}\n"
    )
    return build_command(manifest, out, "tokenize")


def theirs(tokenizer: Path, texts: Path, out: Path) -> list[str]:
    return [bench.datatrove(), str(PEER), str(texts), str(out), lid_path(), str(tokenizer)]


def count_written(side: str, out: Path) -> tuple[int, int]:
    """Return how many documents and tokens a side has written."""
    if side == "datatrove":
        kept = sum(pq.read_metadata(path).num_rows for path in (out / "kept").rglob("*.parquet"))
        return kept, sum(path.stat().st_size for path in (out / "tokens").glob("*.ds")) // 2
    return count_kept(out), sum(shard["tokens"] for shard in Workspace.open(str(out)).tokens()["shards"])


def show(rows: list[dict[str, str]], spent: dict[str, list[Spent]], made: dict[str, tuple[int, int]]) -> None:
    size = sum(len(row["text"].encode()) for row in rows) / 1e6
    table = Table(title=f"JSON Lines to tokens: {len(rows):,} texts, {size:.1f} MB")
    for column in ("", "documents out", "tokens out", "CPU s", "MB/CPU s", "peak MB", "corpus is"):
        table.add_column(column, justify="right" if column else "left")
    best = {side: min(times) for side, times in spent.items()}
    for side, (seconds, _) in best.items():
        documents, tokens = made[side]
        ratio = "" if side == "corpus" else f"{seconds / best['corpus'].seconds:.1f} times"
        peak = max(each.megabytes for each in spent[side])
        table.add_row(
            side,
            f"{documents:,}",
            f"{tokens:,}",
            f"{seconds:.2f}",
            f"{size / seconds:.2f}",
            f"{peak:.0f}",
            ratio,
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
