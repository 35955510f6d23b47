"""datatrove from JSON Lines to tokens, in one process: run by shards_benchmark.py in a venv of its own.

    python datatrove_shards.py TEXTS.jsonl OUT LID_MODEL TOKENIZER.json

FineWeb's filters of texts (language, Gopher repetition and quality, C4 without terminal punctuation, FineWeb quality),
the four steps of MinHash, and the tokens of what is left.
"""

from __future__ import annotations

import sys

from datatrove.pipeline.readers import JsonlReader, ParquetReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils import lid
from datatrove_fineweb import deduplicate, list_text_filters, run


def main(texts: str, out: str, model: str, tokenizer: str) -> None:
    lid.cached_asset_path_or_download = lambda *_, **__: model
    folder, _, name = texts.rpartition("/")
    reader = JsonlReader(folder, glob_pattern=name)
    run(out, "filter", [reader, *list_text_filters(), ParquetWriter(f"{out}/filtered")])
    deduplicate(out)
    tokens = DocumentTokenizer(f"{out}/tokens", tokenizer, seed=1, shuffle_documents=False)
    run(out, "tokens", [ParquetReader(f"{out}/kept"), tokens])


if __name__ == "__main__":
    main(*sys.argv[1:5])
