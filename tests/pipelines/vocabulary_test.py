"""A vocabulary that stays, one that does not fit the text, and one that is broken, each told in time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from corpus.errors import RunError, UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.tokens.encode import Encoder
from corpus.workspace import Workspace

TEXTS = {
    "eng": "The river rises in the north and it reaches the sea after many days and many nights, number {}.",
    "tha": "แม่น้ำสายที่ {} ยาวมากและไหลลงสู่ทะเลหลังจากผ่านเมืองใหญ่หลายเมือง ผู้คนริมฝั่งใช้น้ำทำนาและเลี้ยงปลา",
}


def write(path: Path, *languages: str, start: int = 0) -> None:
    rows = [TEXTS[name].format(number) for name in languages for number in range(start, start + 8)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))


def build(folder: Path, tokenizer: str, out: str = "out") -> tuple[Workspace, list[str]]:
    manifest = folder / "m.yaml"
    manifest.write_text(
        "name: words\nsources: {one: {kind: jsonl, paths: '*.jsonl', rules: []}}\n"
        f"dedup: false\nvalidation: {{share: 0}}\ntokenizer: {tokenizer}\n"
    )
    said: list[str] = []
    workspace = build_workspace(str(manifest), str(folder / out), Running(), said.append)
    return workspace, said


def test_a_vocabulary_is_trained_again_with_a_word_and_stays_where_it_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "eng")
    first, said = build(tmp_path, "{vocabulary: 300}")
    assert not [line for line in said if line.startswith("vocabulary:")]
    write(tmp_path / "b.jsonl", "tha")
    kept, said = build(tmp_path, "{vocabulary: 300, keep: true}")
    assert not [line for line in said if line.startswith("vocabulary:")]
    assert not [line for line in said if line.startswith("tokenizer:")]
    assert kept.tokens()["tokenizer"] == (before := first.tokens()["tokenizer"])
    assert kept.tokens()["totals"]["train"]["rows"] == 16
    with pytest.raises(
        UserError, match=r"m\.yaml:5: tokenizer\.vocabulary: keep: true .* is 400, it was 300"
    ):
        build(tmp_path, "{vocabulary: 400, keep: true}")
    trained, said = build(tmp_path, "{vocabulary: 300}")
    (line,) = [line for line in said if line.startswith("vocabulary:")]
    assert "`tokenizer: {keep: true}` keeps it" in line
    assert trained.tokens()["tokenizer"] != before
    new, _ = build(tmp_path, "{vocabulary: 300, keep: true}", "new")
    assert new.tokens()["tokenizer"] == trained.tokens()["tokenizer"]


def make_word_pieces() -> Tokenizer:
    """A tokenizer of whole English words, with [UNK] for all others."""
    words = {word.strip(",.") for word in TEXTS["eng"].replace("{}", "0 1 2 3 4 5 6 7").split()}
    names = ["[UNK]", "<|endoftext|>", ",", ".", *sorted(words)]
    tokenizer = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def test_unknown_tokens_are_counted_and_refused_above_a_bound(tmp_path: Path) -> None:
    make_word_pieces().save(str(tmp_path / "words.json"))
    write(tmp_path / "a.jsonl", "eng")
    workspace, _ = build(tmp_path, "words.json")
    assert workspace.tokens()["unknown"] == {}
    write(tmp_path / "b.jsonl", "tha")
    with pytest.raises(RunError, match=r"into \[UNK\], more than 1.0% of the tokens of tha_Thai 60.0%: "):
        build(tmp_path, "words.json")
    workspace, _ = build(tmp_path, "{path: words.json, max_unknown: 1}")
    counted = workspace.tokens()["unknown"]
    assert set(counted) == {"tha_Thai"}
    rows = workspace.shards().to_table().filter(pc_language("tha_Thai"))["tokens"].to_pylist()
    assert counted["tha_Thai"] == sum(row.count(0) for row in rows) > 8


def pc_language(label: str) -> object:
    import pyarrow.compute as pc

    return pc.field("language") == label


def test_the_unknown_token_of_each_model_is_known() -> None:
    unigram = Tokenizer(models.Unigram([("<unk>", 0.0), ("</s>", 0.0), ("a", -1.0)], unk_id=0))
    assert Encoder(unigram.to_str().encode()).unknown == 0
    pieces = Tokenizer(models.WordPiece({"</s>": 0, "[UNK]": 1, "a": 2}, unk_token="[UNK]"))
    encoder = Encoder(pieces.to_str().encode())
    assert (encoder.unknown, encoder.encode("a漢").tolist()) == (1, [1])
    bytes_only = Tokenizer(models.BPE({"</s>": 0, "a": 1}, []))
    assert Encoder(bytes_only.to_str().encode()).unknown is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "not a tokenizer.json of Hugging Face tokenizers"),
        ("not json", "not a tokenizer.json of Hugging Face tokenizers"),
        (None, "words.json"),
        ('{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}', "to end documents with"),
    ],
)
def test_a_broken_tokenizer_is_refused_before_any_work(
    content: str | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "words.json").write_text(content)
    write(tmp_path / "a.jsonl", "eng")
    with pytest.raises(UserError, match=r"m\.yaml:5: tokenizer") as raised:
        build(tmp_path, "words.json")
    assert message in str(raised.value) and "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError):
        make_plan(str(tmp_path / "m.yaml"))


def test_a_vocabulary_smaller_than_asked_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "eng", "tha")
    workspace, said = build(tmp_path, "{vocabulary: 4000}")
    size = workspace.tokens()["vocabulary_size"]
    (line,) = [line for line in said if line.startswith("tokenizer:")]
    assert size < 4000 and line.startswith(f"tokenizer: a vocabulary of {size:,}, not 4,000: ")
