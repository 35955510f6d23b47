"""Products in fp8 against exact ones, a step with them against one in bf16, and who is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from corpus.errors import UserError
from corpus.trainer import fp8
from corpus.trainer.config import ModelConfig, find_size
from corpus.trainer.model import GPT, initialize_weights
from tests.trainer.running import train
from tests.trainer.sentences import small_run

SHAPE = ModelConfig(
    vocabulary=64, context=16, depth=2, width=64, heads=4, kv_heads=2, head_width=16, hidden=96
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def scales_rows() -> bool:
    """Whether this torch's CPU has products scaled by rows, which 2.11 has on GPUs alone."""
    one, scale = torch.ones(16, 16).to(torch.float8_e4m3fn), torch.ones(16, 1)
    try:
        torch._scaled_mm(one, one.t(), scale_a=scale, scale_b=scale.t(), out_dtype=torch.bfloat16)
    except RuntimeError:
        return False
    return True


on_a_cpu = pytest.mark.skipif(not scales_rows(), reason="this torch scales rows on GPUs alone")


@on_a_cpu
def test_a_product_and_its_gradients_are_exact_within_fp8_rounding() -> None:
    x, weight = random(32, 64).bfloat16().requires_grad_(), random(48, 64, seed=1).requires_grad_()
    outer = random(32, 48, seed=2).bfloat16()
    y = fp8.Fp8Product.apply(x, weight)
    found = (y, *torch.autograd.grad(y, (x, weight), outer))
    exact = (x.float() @ weight.T, outer.float() @ weight, outer.float().T @ x.float())
    for one, other, most in zip(found, exact, (0.06, 0.06, 0.01), strict=True):
        assert (one.float() - other).norm() < most * other.norm()
    assert [each.dtype for each in found] == [torch.bfloat16, torch.bfloat16, torch.float32]


def test_rows_have_scales_of_their_own() -> None:
    matrix = torch.tensor([[1e-6, -2e-6], [1e6, 3e5], [0.0, 0.0]])
    small, scale = fp8.scale_rows(matrix)
    assert torch.allclose(small.float() * scale, matrix, rtol=0.07)


@on_a_cpu
def test_a_model_has_the_loss_and_gradients_of_bf16_within_fp8_rounding() -> None:
    tokens = torch.randint(64, (4, 17), generator=torch.Generator().manual_seed(0))
    results = []
    for narrow in (False, True):
        model = GPT(SHAPE)
        initialize_weights(model, 0)
        if narrow:
            fp8.use_fp8(model)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        results.append((loss, *(p.grad for p in model.parameters())))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            results[-1] = (*results[-1], model.nats(tokens[:, :-1], tokens[:, 1:]).sum())
    for bf16, narrow in zip(*results, strict=True):
        most = 0.2 if bf16.ndim == 2 else 0.01 if bf16.ndim == 0 else 0.4
        assert (bf16 - narrow).norm() < most * bf16.norm(), (
            "matrices, losses, gains (small sums of large terms)"
        )
    assert results[0][0] != results[1][0]
    assert results[0][-1] == results[1][-1], "evaluation is in bf16"


@pytest.mark.parametrize(
    ("capability", "size", "processes", "message"),
    [
        ((9, 0), "tiny", 2, "--precision fp8 is for one process"),
        ((8, 6), "tiny", 1, "--precision fp8: Card has no products in fp8: leave it out"),
        ((8, 9), "d1", 1, None),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    workspace: Path, monkeypatch: pytest.MonkeyPatch,
    capability: tuple[int, int], size: str, processes: int, message: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Card")
    model = find_size(size).model(vocabulary=64)
    config = dataclasses.replace(small_run(workspace, precision="fp8"), size=size, model=model)
    device = SimpleNamespace(type="cuda")
    if message is None:
        fp8.check_fp8(config, device, processes)
        odd = dataclasses.replace(config, model=dataclasses.replace(model, hidden=100))
        with pytest.raises(UserError, match="no multiples of 16"):
            fp8.check_fp8(odd, device, processes)
        return
    with pytest.raises(UserError, match=message):
        fp8.check_fp8(config, device, processes)


def test_a_run_on_a_cpu_is_refused(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--precision fp8: a CPU has no products in fp8: leave it out"):
        train(small_run(workspace, precision="fp8"), tmp_path / "run")
