"""Measure bits per byte of any text: text files, and JSON Lines by their `language`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.errors import UserError
from corpus.inference.run import TrainedModel
from corpus.storage import DAMAGE, open_decompressed
from corpus.trainer.evaluate import EvaluationDocument, EvaluationGroup, Score, evaluate, sum_scores

MAX_HELD_TOKENS = 1 << 18
"""Tokens held in memory before they are measured."""


def read_texts(path: str, field: str) -> Iterator[tuple[str, str]]:
    """Yield (language, text) of the documents of a file.

    A .jsonl file (.gz, .bz2, .xz, .zst) has one document per line, its text under `field`; any other file is one
    document in UTF-8. Raises UserError with the line that cannot be read.
    """
    name = path.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz").removesuffix(".zst")
    number = 0
    try:
        with open_decompressed(path) as stream:
            if not name.endswith((".jsonl", ".ndjson")):
                if text := stream.read().decode("utf-8-sig"):
                    yield "", text
                return
            for line in stream:
                number += 1
                if line.strip():
                    row = json.loads(line)
                    text, language = row[field], row.get("language") or ""
                    if not isinstance(text, str) or not isinstance(language, str):
                        raise TypeError(f"{field!r} is not text")
                    yield language, text
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except KeyError:
        raise UserError(
            f"{path}, line {number}: no field {field!r}: name the text field with --field"
        ) from None
    except (ValueError, TypeError, AttributeError, *DAMAGE) as error:
        place = f"{path}, line {number}" if number else path
        raise UserError(
            f"{place} cannot be read ({error}): expected UTF-8 text, or JSON Lines with one object per line"
        ) from None


def measure_files(
    trained: TrainedModel, paths: Sequence[str], *, field: str, bf16: bool, samples: int
) -> list[Score]:
    """Return a score for each file and language. Memory: one document and MAX_HELD_TOKENS tokens."""
    totals: dict[tuple[str, str], Score] = {}
    waiting: list[tuple[str, str, EvaluationDocument]] = []
    held = 0

    def settle() -> None:
        nonlocal held
        groups: dict[tuple[str, str], list[EvaluationDocument]] = {}
        for path, language, document in waiting:
            groups.setdefault((path, language), []).append(document)
        batch = [
            EvaluationGroup(
                source=path, language=language, documents=tuple(each), all_bytes=sum(d.bytes for d in each)
            )
            for (path, language), each in groups.items()
        ]
        end = trained.config.end_of_text
        for score in evaluate(trained.model, batch, end_of_text=end, samples=samples, bf16=bf16):
            key = (score.source, score.language)
            totals[key] = sum_scores([totals[key], score])[0] if key in totals else score
        waiting.clear()
        held = 0

    for path in paths:
        for language, text in read_texts(path, field):
            if not text:
                continue
            tokens = np.array(trained.encode(text), np.int64)
            document = EvaluationDocument(tokens=tokens, bytes=len(text.encode()), language=language)
            waiting.append((path, language, document))
            held += len(tokens)
            if held >= MAX_HELD_TOKENS:
                settle()
    settle()
    if not totals:
        raise UserError(f"no text in {', '.join(paths)}")
    return [totals[key] for key in sorted(totals)]
