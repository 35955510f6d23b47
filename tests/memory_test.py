"""Memory does not grow with the input: a large split is read, decided and tokenized under 1 GB."""

from __future__ import annotations

import gzip
import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.small import SENTENCES

MEGABYTES = 300


@pytest.mark.soak
def test_a_large_split_stays_under_a_gigabyte(tmp_path: Path) -> None:
    draw = random.Random(1)
    with gzip.open(tmp_path / "large.jsonl.gz", "wt", compresslevel=1, encoding="utf-8") as output:
        written = 0
        while written < MEGABYTES << 20:
            language = draw.choice(list(SENTENCES))
            chosen = [f"{draw.choice(SENTENCES[language])} {draw.getrandbits(64):x}" for _ in range(100)]
            line = json.dumps({"id": written, "text": "\n".join(chosen)}, ensure_ascii=False)
            written += len(line.encode())
            output.write(line + "\n")
    (tmp_path / "m.yaml").write_text("name: large\nsources: {mine: {kind: jsonl, paths: [large.jsonl.gz]}}\n")
    command = [sys.executable, "-m", "corpus.pipelines.cli", "build", str(tmp_path / "m.yaml"), "--out"]
    subprocess.run([*command, str(tmp_path / "out")], check=True, capture_output=True)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1 << 20  # kilobytes
