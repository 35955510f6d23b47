"""Muon against torch's own and against singular values; the rules that set rates and batches; who optimizes what."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager

from corpus.trainer.config import find_size
from corpus.trainer.model import GPT, initialize_weights
from corpus.trainer.muon import Muon, orthogonalize
from corpus.trainer.optimizer import make_optimizers
from corpus.trainer.scaling import batch_for_steps, default_batch, default_rate
from tests.trainer.checkpoint_test import SETTINGS
from tests.trainer.model_test import CONFIG


def matrices(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(3, 20, 20), (2, 12, 40), (2, 40, 12)])
def test_all_directions_of_a_matrix_become_about_as_large(shape: tuple[int, int, int]) -> None:
    found = orthogonalize(matrices(*shape))
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert 0.6 < values.min() < values.max() < 1.3
    before = torch.linalg.svd(matrices(*shape), full_matrices=False)
    aligned = before.U @ before.Vh
    assert ((found * aligned).sum() / aligned.square().sum()) == pytest.approx(0.9, abs=0.15)


def test_bf16_rounds_and_changes_nothing_else() -> None:
    exact, rounded = (orthogonalize(matrices(2, 24, 32), dtype) for dtype in (torch.float32, torch.bfloat16))
    assert (exact - rounded).abs().max() < 0.05


def test_steps_are_those_of_torchs_muon_with_rates_matched_to_adamw() -> None:
    ours, theirs = (torch.nn.Parameter(matrices(16, 40).clone()) for _ in range(2))
    muon = Muon([(ours, (16,))], lr=0.02, weight_decay=0.1, bf16=True)
    oracle = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        gradient = torch.randn(16, 40, generator=torch.Generator().manual_seed(step))
        ours.grad, theirs.grad = gradient, gradient.clone()
        muon.step()
        oracle.step()
    moved = (theirs - matrices(16, 40)).abs().max()
    assert moved > 0.05
    assert (ours - theirs).abs().max() < 0.03 * moved


def test_a_compiled_update_is_that_of_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and run as it is: what is generated of it only rounds differently. Rates differ from step to step."""
    graphs: list[torch.fx.GraphModule] = []

    def count(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(graph)
        return aot_eager(graph, inputs)

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))
    shapes = (((24, 32), (12, 6, 6)), ((16, 40), (16,)), ((16, 40), (16,)), ((40, 16), (40,)))
    moved = []
    for compiled in (False, True):
        parameters = [torch.nn.Parameter(matrices(*shape).clone()) for shape, _ in shapes]
        pairs = [(parameter, rows) for parameter, (_, rows) in zip(parameters, shapes, strict=True)]
        muon = Muon(pairs, lr=0.02, weight_decay=0.1, compile=compiled)
        for step in range(3):
            for number, parameter in enumerate(parameters):
                random = torch.Generator().manual_seed(10 * step + number)
                parameter.grad = torch.randn(parameter.shape, generator=random)
            muon.param_groups[0]["lr"] = 0.02 / (step + 1)
            muon.step()
        moved.append([*parameters, *(muon.state[parameter]["momentum"] for parameter in parameters)])
    assert len(graphs) == 1, "one call for all matrices, and not a new one for each rate"
    for one, other in zip(*moved, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_joint_matrices_are_made_orthogonal_one_by_one() -> None:
    joint = torch.nn.Parameter(matrices(24, 32).clone())
    parts = [torch.nn.Parameter(part.clone()) for part in matrices(24, 32).split((12, 6, 6))]
    gradient = torch.randn(24, 32, generator=torch.Generator().manual_seed(1))
    joint.grad = gradient
    for part, piece in zip(parts, gradient.split((12, 6, 6)), strict=True):
        part.grad = piece.clone()
    Muon([(joint, (12, 6, 6))], lr=0.1, weight_decay=0.0).step()
    Muon([(part, (len(part),)) for part in parts], lr=0.1, weight_decay=0.0).step()
    assert torch.allclose(joint, torch.cat(parts), atol=1e-6)


def test_muon_takes_the_blocks_matrices_and_adamw_everything_else() -> None:
    model = GPT(CONFIG)
    initialize_weights(model, 0)
    muon, adamw = make_optimizers(model, SETTINGS, bf16=False)
    names = {parameter: name for name, parameter in model.named_parameters()}
    taken = {names[p] for group in muon.param_groups for p in group["params"]}
    assert {name for name in names.values() if "blocks" in name and "norm" not in name} == taken
    rest = [names[p] for group in adamw.param_groups for p in group["params"]]
    assert sorted([*taken, *rest]) == sorted(names.values())
    decays = {names[p]: group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    assert decays["embedding.weight"] == 0.1
    assert {decay for name, decay in decays.items() if "norm" in name} == {0.0}


def test_rates_and_batches_follow_step_law() -> None:
    gpt2 = find_size("gpt2").model(vocabulary=50_257)
    tokens = 20 * gpt2.parameters()
    assert default_rate(gpt2, tokens) == pytest.approx(1.79 * 85e6**-0.713 * tokens**0.307, rel=0.03)
    assert default_batch(tokens) == 131_072
    assert default_batch(1000) == 2048
    assert default_rate(find_size("tiny").model(vocabulary=32_000), tokens) == 5e-3


@pytest.mark.parametrize("steps", [500, 20_000, 300_000])
def test_a_batch_for_so_many_steps_is_the_one_for_their_tokens(steps: int) -> None:
    batch = batch_for_steps(steps)
    assert batch == pytest.approx(0.58 * (steps * batch) ** 0.571, rel=1.0)
    assert default_batch(steps * batch) in (batch // 2, batch, 2 * batch)
