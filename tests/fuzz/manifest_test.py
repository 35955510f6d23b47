"""The manifest loader on damaged manifests: a manifest, or one line that says what is wrong and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UserError
from corpus.manifest import load_manifest
from tests.fuzz.mutations import Operation, long, mutated, operations, short, within

FULL = """\
name: demo
seed: 0
sources:
  crawl:
    kind: warc
    paths: ["crawl/*.warc.gz", "@more-paths.txt"]
    snapshot: CC-MAIN-2026-30
    max_failures: 0.02
  wikipedia: {kind: wikipedia, paths: ["wiki/**/*.bz2"], priority: 2}
  mine: {kind: jsonl, paths: [docs.jsonl], fields: {text: body, id: key}, rules: [text_only]}
languages: [cmn_Hans, cmn_Hant, tha]
split_size: 64MB
extraction: {mode: fast, max_bytes: 32MiB, max_tags: 1000, memory: 1GiB, seconds: 3.5}
max_failures: 0.5
rules:
  gopher.words: {min: 30}
  gopher.stop_words: off
  languages: {tha: {gopher.mean_word_length: {min: 2}}}
dedup: {exact: true, url: true, minhash: {threshold: 0.7}, closure: best}
validation: {share: 0.005}
tokens: {max_shard_tokens: 100000000, min_language_tokens: 10000}
mixture: {weights: {wikipedia: 3}}
"""
WORDS = [
    "&a", "*a", "<<: *a", "!!python/object:os.system", "? ", "- ", ": ", "${HOME}", "${NONE}", "null", ".inf", ".nan",
    "1e999", "0x10", "2026-01-01",
    "9" * 40, "'", '"', "|", "{", "}", "[", "]", "\t", "\ufeff", "\u2028", "中文", "\U0001f600",
]  # fmt: skip


def loads(path: Path, body: bytes) -> None:
    path.write_bytes(body)
    with within(10):
        try:
            load_manifest(str(path))
        except UserError as error:
            assert "\n" not in str(error) and str(error).startswith(str(path))


def fuzz(path: Path, run: object) -> None:
    @run  # type: ignore[operator,untyped-decorator]
    @given(operations, st.lists(st.tuples(st.floats(0, 1), st.sampled_from(WORDS)), max_size=4))
    def damaged(changes: list[Operation], words: list[tuple[float, str]]) -> None:
        text = FULL
        for where, word in words:
            at = int(where * len(text))
            text = text[:at] + word + text[at:]
        loads(path, text.encode())
        loads(path, mutated(text.encode(), changes))

    damaged()


def test_damaged_manifests_are_one_line(tmp_path: Path) -> None:
    fuzz(tmp_path / "manifest.yaml", short(150))


@pytest.mark.soak
def test_damaged_manifests_for_long(tmp_path: Path) -> None:
    fuzz(tmp_path / "manifest.yaml", long())


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    loads(tmp_path / "manifest.yaml", f"a0: &a0 [x]\n{levels}name: demo\nsources: {{}}\n".encode())
