"""datatrove's MinHash signatures and its tokenizing of a JSONL of texts: CPU seconds of each, as JSON.

    python datatrove_stages.py TEXTS.jsonl TOKENIZER.json OUT

Run by stages_benchmark.py in a venv of its own. Both steps are run once before on ten texts, so that what they load
is not counted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.tokens import DocumentTokenizer

os.environ["TOKENIZERS_PARALLELISM"] = "false"


def main(path: str, tokenizer: str, out: str) -> None:
    texts = [json.loads(line)["text"] for line in Path(path).read_text(encoding="utf-8").split("\n")[:-1]]
    spent = {}
    for name, step in (
        ("signatures", lambda folder: MinhashDedupSignature(folder)),
        ("tokens", lambda folder: DocumentTokenizer(folder, tokenizer, seed=1, shuffle_documents=False)),
    ):
        for at, some in enumerate((texts[:10], texts)):
            documents = (Document(text=text, id=str(number)) for number, text in enumerate(some))
            begin = time.process_time()
            for _ in step(f"{out}/{name}-{at}").run(documents, 0, 1) or ():
                pass
            spent[name] = time.process_time() - begin
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:4])
