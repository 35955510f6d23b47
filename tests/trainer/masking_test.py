"""Attention inside documents: the same as reading each document alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from corpus.trainer import loop
from corpus.trainer.attention import document_mask
from corpus.trainer.model import GPT
from tests.trainer.model_test import make
from tests.trainer.running import QUIET, steps
from tests.trainer.sentences import small_run

END = 0
WINDOW = [7, 12, 9, END, 3, 14, 15, 9, 26, END, 5, 35, 8, 9, END, 2]


def test_a_token_sees_its_document_from_the_end_of_text_before_it() -> None:
    mask = document_mask(torch.tensor([[8, 9, END, 4, 5, END]]), END)[0, 0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]


def pieces() -> list[list[int]]:
    starts = [0, *(i for i, token in enumerate(WINDOW) if token == END), len(WINDOW)]
    return [WINDOW[a:b] for a, b in itertools.pairwise(starts)]


def test_states_and_gradients_are_those_of_the_documents_read_alone() -> None:
    def gradients(model: GPT) -> dict[str, torch.Tensor]:
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    whole, alone = make(), make()
    masked = whole.hidden(torch.tensor([WINDOW, WINDOW[::-1]]), end_of_text=END)[0]
    separate = torch.cat([alone.hidden(torch.tensor([piece]))[0] for piece in pieces()])
    assert (masked - separate).abs().max() < 1e-5
    weights = torch.randn(masked.shape, generator=torch.Generator().manual_seed(0))
    (masked * weights).sum().backward()
    (separate * weights).sum().backward()
    one, two = gradients(whole), gradients(alone)
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-4
    assert (whole.hidden(torch.tensor([WINDOW]))[0] - separate).abs().max() > 0.1, "unmasked it differs"


def test_a_run_can_keep_documents_apart(workspace: Path, tmp_path: Path) -> None:
    for name, mask in (("apart", True), ("together", False)):
        loop.train(
            small_run(workspace, steps=3, mask_documents=mask), tmp_path / name, device="cpu", console=QUIET
        )
    apart, together = ([entry["loss"] for entry in steps(tmp_path / name)] for name in ("apart", "together"))
    assert apart != together


def test_compiled_documents_are_kept_apart_too() -> None:
    nats = []
    for whole in (make(), make()):
        compiled = torch.compile(whole, backend="aot_eager", dynamic=False) if nats else whole
        window = torch.tensor([WINDOW])
        nats.append(compiled(window[:, :-1], window[:, 1:], end_of_text=END))
        nats[-1].backward()
        nats.extend(parameter.grad for parameter in whole.parameters())
    half = len(nats) // 2
    for eager, other in zip(nats[:half], nats[half:], strict=True):
        assert torch.allclose(eager, other, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="FlexAttention's backward needs CUDA")
def test_on_cuda_flex_attention_gives_what_the_boolean_mask_gives() -> None:
    model = make()
    expected = model.hidden(torch.tensor([WINDOW]), end_of_text=END)
    found = model.cuda().hidden(torch.tensor([WINDOW]).cuda(), end_of_text=END)
    assert (found.cpu() - expected).abs().max() < 1e-3
