"""Documents inside longer ones: found in every writing, the longer one stays, and likeness is told apart."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.rows import SplitRows, build_split_rows
from corpus.dedup.signatures import SignatureReader, SignatureStep, SignatureWriter
from corpus.dedup.sketches import MIN_SAMPLES, SAMPLED, sample_shingles, share_samples
from corpus.document import Document, content_hash
from corpus.document_schema import DOCUMENTS_SCHEMA, to_documents_batch
from corpus.errors import UserError
from corpus.pipelines import dedup, dedup_steps
from corpus.pipelines.beam.options import Running
from corpus.storage.part_writer import PartWriter
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES

CODE = "code_python"
LANGUAGES = (*STORIES, CODE)


def draw_pieces(language: str, seed: object, count: int) -> list[str]:
    """So many words in a language, or lines of code."""
    drawn = random.Random(f"{language} {seed}")
    if language == CODE:
        return [f"value_{drawn.randrange(9999)} = call_{drawn.randrange(9999)}()\n" for _ in range(count)]
    words = segment_words(STORIES[language], language)
    units = [STORIES[language][start:end] for start, end in zip(words.starts, words.ends, strict=True)]
    glue = " " if " " in STORIES[language][:40] else ""
    return [drawn.choice(units) + glue for _ in range(count)]


def make_texts() -> dict[str, tuple[str, str]]:
    """Texts by name, with their languages: for each, a long one, two passages of it, a copy with an edit, another."""
    texts = {}
    for language in LANGUAGES:
        long = draw_pieces(language, "long", 600)
        fresh = draw_pieces(language, "fresh", 400)
        passage = long[250:500]
        passage[100:103] = fresh[:3]
        half = long[50:170] + fresh[100:250]
        for name, pieces in {
            "long": long,
            "passage": passage,
            "inner": long[300:420],
            "edited": [*long[:590], *fresh[:10]],
            "half": half,
            "other": fresh[150:],
            "short": long[10:16],
        }.items():
            texts[f"{name} {language}"] = (language, "".join(pieces))
    return texts


class Stored:
    """Load documents with a quality that is best for the shortest. Picklable."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __call__(self, source: str, split: str) -> SplitRows:
        table = pq.read_table(Workspace(self.root).part("documents", source, split))
        length = np.array([len(text) for text in table["text"].to_pylist()])
        return build_split_rows(
            row=np.arange(len(table)),
            id=table["id"],
            content_hash=table["content_hash"],
            url=None,
            priority=0,
            quality=-length.astype(np.float32),
            length=length,
        )


def search(
    root: Path, texts: dict[str, tuple[str, str]], options: dict[str, Any], **running: Any
) -> dict[str, tuple[str, str, float]]:
    """The removed texts, each with its level, what stays in its place, and the similarity."""
    given = DedupOptions.model_validate(options)
    assert given.minhash is not None
    workspace, step = Workspace(str(root)), SignatureStep(given.minhash)
    names = [("web", f"{split}") for split in range(3)]
    by_id, by_place = {}, {}
    for split, (source, name) in enumerate(names):
        own = list(texts)[split::3]
        documents = []
        for at, key in enumerate(own):
            language, text = texts[key]
            id = f"{split:016x}{at:016x}"
            by_id[id] = by_place[name, at] = key
            hashed = content_hash(text)
            documents.append(
                Document(
                    id=id, file="f", offset=at, length=1, text=text, language=language, content_hash=hashed
                )
            )
        with PartWriter(workspace.part("documents", source, name), DOCUMENTS_SCHEMA, f"made {split}") as part:
            part.write(to_documents_batch(documents))
        with SignatureWriter(
            workspace.part("dedup/signatures", source, name, "arrow"), step.schema, f"made {split}"
        ) as signatures:
            for first in range(0, len(own), 7):
                some = [texts[key] for key in own[first : first + 7]]
                words = [segment_words(text, language) for language, text in some]
                signatures.write(step.signatures(words, [language for language, _ in some]))
    claims = root / "claims"
    shutil.rmtree(claims, ignore_errors=True)
    claims.mkdir()
    put = dedup.dedup_pipeline(
        workspace, names, Stored(str(root)), given, str(running), Running(), str(claims), **running
    )
    with beam.Pipeline(options=Running().options("dedup")) as pipeline:
        put(pipeline)
    rows = pq.read_table(root / "dedup" / "clusters.parquet").to_pylist()
    return {
        by_place[row["split"], row["row"]]: (row["level"], by_id[row["kept_id"]], row["similarity"])
        for row in rows
    }


def test_what_stands_in_a_longer_document_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = make_texts()
    texts["again eng_Latn"] = texts["passage eng_Latn"]  # with the same content
    found = search(tmp_path, texts, {"minhash": {"containment": 0.9}})
    alike = {f"long {language}": f"edited {language}" for language in LANGUAGES}
    for language in LANGUAGES:
        long = f"long {language}" if f"long {language}" not in found else f"edited {language}"
        shorter = alike.get(long, f"long {language}")
        assert found.pop(shorter)[:2] == ("minhash", long), "as without"
        for name in ("passage", "inner"):
            level, kept, similarity = found.pop(f"{name} {language}")
            assert (level, kept) == ("contained", long)
            assert similarity > 0.9
    assert found.pop("again eng_Latn")[0] == "contained"
    assert found == {}
    again = search(tmp_path, texts, {"minhash": {"containment": 0.9}}, partitions=5, in_runs=False)
    assert again == search(tmp_path, texts, {"minhash": {"containment": 0.9}}, partitions=2)
    plain = search(tmp_path, texts, {"minhash": True})
    assert {level for level, _, _ in plain.values()} == {"minhash", "exact"}
    assert {name for name in plain if name.startswith(("passage", "inner"))} <= {"passage eng_Latn"}, (
        "the same text"
    )
    wide = search(tmp_path, texts, {"minhash": {"containment": 0.55}})
    assert not [name for name in wide if name.startswith(("half", "other", "short"))], (
        "less of them stands there"
    )
    monkeypatch.setattr(dedup_steps, "MAX_WALKED", 20)  # in ranges, on disk
    assert search(tmp_path, texts, {"minhash": {"containment": 0.9}}, partitions=1) == again


def test_the_option() -> None:
    assert MinHashOptions().containment is None
    assert MinHashOptions.model_validate({"containment": True}).containment == 0.9
    assert MinHashOptions.model_validate({"containment": False}).containment is None
    for wrong in (0.3, 1.5):
        with pytest.raises(ValueError, match="containment"):
            MinHashOptions.model_validate({"containment": wrong})
    with pytest.raises(ValueError, match="needs `closure: best`"):
        DedupOptions.model_validate({"closure": "transitive", "minhash": {"containment": 0.9}})
    assert "containment" not in DedupOptions().parameters["minhash"]
    assert (
        DedupOptions.model_validate({"minhash": {"containment": 0.8}}).parameters["minhash"]["containment"]
        == 0.8
    )


def test_sketches_are_stored_beside_signatures(tmp_path: Path) -> None:
    options = MinHashOptions(containment=0.9)
    step = SignatureStep(options)
    texts = [None, *(segment_words("".join(draw_pieces(name, 1, 300)), name) for name in LANGUAGES), None]
    labels = [None, *LANGUAGES, None]
    parts = []
    for size in (1, 4, 100):
        path = tmp_path / f"{size}.arrow"
        with SignatureWriter(str(path), step.schema, "x") as writer:
            for first in range(0, len(texts), size):
                writer.write(step.signatures(texts[first : first + size], labels[first : first + size]))
        parts.append(path.read_bytes())
    assert parts[0] == parts[1] == parts[2], "however the rows came"
    reader = SignatureReader(str(tmp_path / "4.arrow"), options)
    lengths = [len(sketch) for sketch in reader.read_sketches(np.arange(len(texts))).to_pylist()]
    assert lengths[0] == lengths[-1] == 0
    assert all(length > MIN_SAMPLES for length in lengths[1:-1])
    signatures = reader.read(np.arange(len(texts)))
    reader.close()
    plain = SignatureStep(MinHashOptions())
    with SignatureWriter(str(tmp_path / "plain.arrow"), plain.schema, "x") as writer:
        writer.write(plain.signatures(texts, labels))
    reader = SignatureReader(str(tmp_path / "plain.arrow"), options)  # signatures are the same
    assert (reader.read(np.arange(len(texts))) == signatures).all()
    with pytest.raises(UserError, match="has no sketches: build again"):
        reader.read_sketches(np.arange(2))


def test_samples_estimate_what_is_shared() -> None:
    random_numbers = np.random.default_rng(5)
    hashes = random_numbers.integers(0, 1 << 32, 8000, dtype=np.uint32)
    every = sample_shingles(np.concatenate([hashes, hashes[1000:5000]]), np.array([8000, 0, 4000]))
    long, none, short = (np.unique(np.array(samples, np.uint32)) for samples in every.to_pylist())
    assert len(none) == 0
    assert len(long) == pytest.approx(8000 / SAMPLED, rel=0.1)
    share, alike = share_samples(short, long)
    assert share == 1
    assert alike == pytest.approx(0.5, abs=0.05)
    assert share_samples(none, long) == share_samples(short[: MIN_SAMPLES - 1], long) == (0, 0)
