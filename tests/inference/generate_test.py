"""Writing: whole characters, the same text for the same seed, and the cache as good as none."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from corpus.errors import UserError
from corpus.inference.generate import Writer, draw_token
from corpus.inference.run import TrainedModel
from corpus.inference.utf8 import (
    REJECT_STATE,
    START_STATE,
    build_transitions,
    byte_alphabet,
    decode_stream,
    token_bytes,
)
from corpus.trainer import loop
from tests.trainer.sentences import small_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose workspace is gone."""
    folder = tmp_path_factory.mktemp("generate")
    copy = Path(shutil.copytree(workspace, folder / "workspace"))
    loop.train(small_run(copy, steps=30), folder / "run", console=Console(quiet=True))
    shutil.rmtree(copy)
    return folder / "run"


@pytest.fixture(scope="module")
def writer(run: Path) -> Writer:
    return Writer(TrainedModel(run, CPU, print))


def test_text_is_whole_characters_however_long(writer: Writer) -> None:
    for seed in range(6):
        pieces = list(writer.write("春天", tokens=120, temperature=1.5, seed=seed))
        text = "".join(pieces)
        assert "�" not in text
        assert text.encode("utf-8").decode("utf-8") == text
        assert all(pieces)


def test_a_seed_gives_one_text_and_another_another(writer: Writer) -> None:
    def text(seed: int) -> str:
        return "".join(writer.write("The river", tokens=40, seed=seed))

    assert text(1) == text(1)
    assert len({text(seed) for seed in range(5)}) == 5


def test_the_cache_writes_what_the_whole_text_read_again_would(writer: Writer) -> None:
    prompt = "She"
    text = "".join(writer.write(prompt, tokens=12, temperature=0))
    end = writer.config.end_of_text
    ids = [end, *writer.tokenizer.encode(prompt).ids]
    state, out = START_STATE, []
    for _ in range(12):
        logits = writer.model.logits(torch.tensor([ids]))[0, -1]
        allowed = torch.from_numpy(writer.transitions[state] != REJECT_STATE)
        allowed[end] = state == START_STATE
        token = int(logits.masked_fill(~allowed, -torch.inf).argmax())
        if token == end:
            break
        out.append(writer.bytes[token])
        ids.append(token)
        state = int(writer.transitions[state, token])
    assert text == "".join(decode_stream(iter(out)))
    assert text


def test_text_goes_on_beyond_the_context(writer: Writer) -> None:
    longest = max(len(list(writer.write("", tokens=200, temperature=1.2, seed=s))) for s in range(8))
    assert longest > writer.config.model.context


@pytest.mark.parametrize("most", [2, 3, 8])
def test_no_so_many_tokens_in_a_row_come_twice(
    writer: Writer, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt's count too. Taking the likeliest token runs in circles without it."""
    drawn: list[int] = []
    monkeypatch.setattr(
        "corpus.inference.generate.draw_token",
        lambda *arguments: drawn.append(draw_token(*arguments)) or drawn[-1],
    )

    def repeats(no_repeat: int) -> int:
        drawn.clear()
        "".join(writer.write("春", tokens=150, temperature=0, no_repeat=no_repeat))
        ids = [writer.config.end_of_text, *writer.trained.encode("春"), *drawn]
        grams = [tuple(ids[at : at + most]) for at in range(len(ids) - most + 1)]
        return len(grams) - len(set(grams))

    assert repeats(0) > 0
    assert repeats(most) == 0


def test_a_prompt_longer_than_the_context_is_read_from_its_end(writer: Writer) -> None:
    long = "The river was high in spring. " * 30
    assert isinstance("".join(writer.write(long, tokens=5)), str)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "--temperature -1"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"top_k": -2}, "--top-k -2"),
        ({"top_p": 0}, "--top-p 0"),
        ({"top_p": 1.5}, "--top-p 1.5"),
    ],
)
def test_wrong_options_are_named(writer: Writer, options: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        writer.write("", tokens=1, **options)  # type: ignore[arg-type]


def test_drawing_keeps_to_the_likeliest() -> None:
    logits = torch.tensor([0.5, 0.2, 0.2, 0.1]).log()
    random = torch.Generator().manual_seed(0)

    def drawn(**options: float) -> set[int]:
        settings = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, **options}
        return {draw_token(logits, generator=random, **settings) for _ in range(300)}  # type: ignore[arg-type]

    assert drawn() == {0, 1, 2, 3}
    assert drawn(temperature=0) == drawn(top_k=1) == drawn(top_p=0.5) == {0}
    assert drawn(top_k=3) == drawn(top_p=0.9) == {0, 1, 2}
    counts = [draw_token(logits, 1.0, 0, 1.0, random) for _ in range(4000)]
    assert np.bincount(counts, minlength=4) / 4000 == pytest.approx([0.5, 0.2, 0.2, 0.1], abs=0.03)


def test_a_run_without_a_checkpoint_says_how_to_get_one(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoint"))
    with pytest.raises(UserError, match="has no checkpoint yet: `corpus train"):
        Writer(TrainedModel(tmp_path / "run", CPU, print))
    with pytest.raises(UserError, match=r"is not a run: `corpus train WORKSPACE"):
        Writer(TrainedModel(tmp_path / "nothing", CPU, print))


def test_a_tokenizer_that_is_none_is_named(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json cannot be read"):
        Writer(TrainedModel(tmp_path / "run", CPU, print))


def begins_text(content: bytes) -> bool:
    """Whether something can follow these bytes so that all is UTF-8. (Python's incremental decoder waits for more after
    ED A0, which begins a surrogate and no character.)"""
    for follow in (b"", *(bytes([byte]) * count for byte in (0x80, 0x90, 0xA0, 0xBF) for count in (1, 2, 3))):
        try:
            (content + follow).decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False


@settings(max_examples=200)
@given(st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=5))
@example([b"\xed\xa0"])
@example([b"\xed", b"\x9f", b"\xbf"])
def test_the_automaton_accepts_what_begins_a_text(tokens: list[bytes]) -> None:
    table = build_transitions(tokens)
    state = START_STATE
    for number in range(len(tokens)):
        state = int(table[state, number])
        content = b"".join(tokens[: number + 1])
        assert (state != REJECT_STATE) == begins_text(content)
        if state == REJECT_STATE:
            return
        assert (state == START_STATE) == (content.decode("utf-8", errors="ignore").encode() == content)


@settings(max_examples=100)
@given(st.text(), st.randoms(use_true_random=False))
def test_text_cut_anywhere_streams_back_whole(text: str, random: object) -> None:
    content = text.encode("utf-8")
    cuts = sorted(random.randrange(len(content) + 1) for _ in range(5))  # type: ignore[attr-defined]
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert "".join(decode_stream(iter(pieces))) == text


def test_tokens_are_the_bytes_their_characters_stand_for() -> None:
    alphabet = {byte: character for character, byte in byte_alphabet().items()}
    assert sorted(alphabet) == list(range(256))
    assert (alphabet[0x20], alphabet[0x0A], alphabet[0x41]) == ("Ġ", "Ċ", "A")
    river = "".join(alphabet[byte] for byte in " 河".encode())
    assert token_bytes({"<|end|>": 0, river: 1}, {0}, 3) == [b"", " 河".encode(), b""]
    with pytest.raises(UserError, match=r"token 1 .* is not byte-level"):
        token_bytes({"河": 1}, set(), 2)
