"""Tokens: encoding beside `tokenizers`, learning a vocabulary, and documents to shards end to end.

    CORPUS_DATA=... python -m tests.benchmarks.tokens_benchmark --megabytes 100

The text is what the sample data has of wiki dumps, declarations in 500 languages, pages and books, over and
over until there is enough; figures are for one process, and peak memory is that of all steps so far.
"""

from __future__ import annotations

import bz2
import itertools
import resource
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa

from corpus.document import Document, document_id
from corpus.document_schema import DECISIONS_SCHEMA, DOCUMENTS_SCHEMA, to_documents_batch
from corpus.pipelines.beam.fanout import make_claims_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.tokenize import TokenizeJob, tokenize_splits
from corpus.storage.part_writer import PartWriter
from corpus.tokens import vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import DEFAULT_PATTERN, MixtureOptions, TokenizerOptions, TokensOptions
from corpus.workspace import Workspace
from tests.benchmarks import bench

PIECE = 5000
"""Characters of a made document."""


def real_texts(data: Path) -> Iterator[tuple[str, str]]:
    """(language or kind, text) of about 5,000 characters each, the kinds interleaved."""
    return itertools.chain.from_iterable(
        zip(
            *(itertools.islice(kind, 500) for kind in (_declarations(data), _dump(data), _pages(data))),
            strict=False,
        )
    )


def _declarations(data: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for member in archive.getmembers():
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield Path(member.name).stem, stream.read().decode("utf-8", "replace")[:PIECE]


def _dump(data: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((data / "wiki").rglob("*.bz2")):
        with bz2.open(path, "rt", encoding="utf-8", errors="replace") as dump:
            while text := dump.read(PIECE):
                yield "wiki", text


def _pages(data: Path) -> Iterator[tuple[str, str]]:
    for folder in ("stackexchange", "books", "neardup"):
        for path in sorted((data / folder).rglob("*")):
            if path.suffix in (".xml", ".txt") and path.is_file():
                with path.open(encoding="utf-8", errors="replace") as stream:
                    while text := stream.read(PIECE):
                        yield "pages", text


def peak() -> int:
    """Peak memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def line(what: str, seconds: float, size: int, tokens: int | None) -> None:
    speed = f"{tokens / 1e6 / seconds:6.2f} Mtokens/s" if tokens else ""
    print(
        f"{what:34} {seconds:7.1f} CPU s {size / 1e6 / seconds:7.1f} MB/s {speed:20} peak {peak():5} MB",
        flush=True,
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def learn(texts: list[tuple[str, str]], vocabulary_size: int) -> Encoder:
    size = sum(len(text.encode()) for _, text in texts)
    seconds, counts = timed(lambda: vocabulary.count_pieces((text for _, text in texts), DEFAULT_PATTERN))
    line(f"count pieces ({counts.num_rows:,} distinct)", seconds, size, None)
    seconds, content = timed(
        lambda: vocabulary.train_tokenizer(counts, TokenizerOptions(vocabulary=vocabulary_size))
    )
    line(f"learn {vocabulary_size:,}", seconds, size, None)
    return Encoder(content.encode())


def encode(texts: list[tuple[str, str]], encoder: Encoder) -> None:
    some = [text for _, text in texts[:4000]]
    size = sum(len(text.encode()) for text in some)
    seconds, (tokens, _) = timed(lambda: encoder.encode_batch(some))
    line(f"encode, {encoder.engine}", seconds, size, len(tokens))
    slow = Encoder(encoder._hf.to_str().encode(), engine="tokenizers")
    seconds, (same, _) = timed(lambda: slow.encode_batch(some))
    line("encode, tokenizers", seconds, size, len(same))
    print(f"{'':34} the same tokens: {bool((tokens == same).all())}")


def end_to_end(texts: list[tuple[str, str]], megabytes: int, encoder: Encoder) -> None:
    """One split of `megabytes` of text, from documents and decisions to shards and dataset.json."""
    with tempfile.TemporaryDirectory() as root:
        workspace = Workspace.create(root)
        given = Path(root, "given.json")
        given.write_text(encoder._hf.to_str())
        size = write_split(workspace, texts, megabytes)
        running = Running()

        def run(name: str, build: Callable[[str | None], Any], _: int) -> None:
            with make_claims_folder(running) as claims, beam.Pipeline(options=running.options(name)) as start:
                build(claims)(start)

        job = TokenizeJob(
            workspace=workspace,
            name="benchmark",
            splits=[("made", "0")],
            tokenizer=TokenizerOptions(path=str(given)),
            tokens=TokensOptions(),
            mixture=MixtureOptions(),
            seed=0,
            running=running,
            run=run,
        )
        seconds, description = timed(lambda: tokenize_splits(job))
        line("documents to shards", seconds, size, description["totals"]["train"]["tokens"])


def write_split(workspace: Workspace, texts: list[tuple[str, str]], megabytes: int) -> int:
    """Documents and decisions of one split; the UTF-8 bytes of its texts."""
    size, number = 0, 0
    documents, decisions = (workspace.part(folder, "made", "0") for folder in ("documents", "decisions"))
    with (
        PartWriter(documents, DOCUMENTS_SCHEMA, "made") as writer,
        PartWriter(decisions, DECISIONS_SCHEMA, "made") as beside,
    ):
        endless = itertools.cycle(texts)
        while size < megabytes * 1_000_000:
            rows = []
            for language, text in itertools.islice(endless, 1000):
                number += 1
                size += len(text.encode())
                id = document_id("made", str(number))
                rows.append(Document(id=id, file="made", offset=0, length=0, text=text, language=language))
            writer.write(to_documents_batch(rows))
            decided: dict[str, Any] = {
                "gate": None,
                "failed_rules": [],
                "duplicate_of": None,
                "split": "train",
                "kept": True,
            }
            beside.write(pa.Table.from_pylist([decided] * len(rows), DECISIONS_SCHEMA))
        beside.state_outcome("made")
    return size


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--megabytes", type=int, default=100, help="text of the split that becomes shards")
    parser.add_argument("--vocabulary", type=int, default=32_000)
    options = parser.parse_args()
    texts = list(real_texts(bench.sample_data()))
    print(f"{sum(len(text.encode()) for _, text in texts) / 1e6:.1f} MB of text, peak {peak()} MB")
    encoder = learn(texts, options.vocabulary)
    encode(texts, encoder)
    end_to_end(texts, options.megabytes, encoder)


if __name__ == "__main__":
    main()
