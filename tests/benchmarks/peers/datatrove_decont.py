"""datatrove's 12-gram decontamination over texts: run by decontamination_benchmark.py.

    python datatrove_decont.py ITEMS TEXTS OUT

ITEMS is JSON Lines of {language, query, label}, TEXTS of {text}. Both languages' items are hashed by its indexer, those
of the query among them, and texts go through its filter with each of the two, as one would run them: a text is
contaminated if one says so. (The indexer's own run asks lighteval for tasks; its hashes do not.) Writes the numbers of
the contaminated texts to OUT. Prints a line of JSON: CPU seconds of the index and of the filters.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer
from datatrove.utils.typeshelper import Languages

LANGUAGES = {"eng": Languages.english, "zho": Languages.mandarin_chinese}


NGramsDecontIndexer._requires_dependencies = []  # its hashes need none


def main(items: str, texts: str, out: str) -> None:
    config = NGramsDecontConfig(find_query_ngrams=True)
    start = time.process_time()
    filters = []
    with tempfile.TemporaryDirectory() as folder:
        for name, language in LANGUAGES.items():
            place = Path(folder, name)
            place.mkdir()
            indexer = NGramsDecontIndexer(str(place), config=config, language=language)
            hashes: set[int] = set()
            with open(items, encoding="utf-8") as lines:
                for line in lines:
                    item = json.loads(line)
                    if item["language"] == name:
                        hashes.update(indexer.compute_hashes(item["label"], item["query"]))
            np.array(sorted(hashes), dtype=config.hash_config.np_descr).tofile(place / "items.index.hashes")
            filters.append(NGramsDecontFilter(str(place), config=config, language=language))
            filters[-1].load_index_hashes()
    indexed = time.process_time()
    contaminated: list[int] = []
    with open(texts, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            document = Document(text=json.loads(line)["text"], id=str(number))
            if any(each.filter(document) is not True for each in filters):
                contaminated.append(number)
    took = time.process_time() - indexed
    Path(out).write_text(json.dumps(contaminated), encoding="utf-8")
    print(json.dumps({"index": indexed - start, "filter": took}))


if __name__ == "__main__":
    main(*sys.argv[1:])
