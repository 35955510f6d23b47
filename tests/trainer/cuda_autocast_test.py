"""What a GPU's autocast does to a step, shown on a CPU.

Under autocast, CUDA takes the functions of a list to fp32 (softmax, sum, norms ...); a CPU's list lacks them. The mode
below gives a CPU CUDA's list, so that a step which mixes types fails here as it would there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from corpus.trainer import loop, model
from corpus.trainer import loss as loss_module
from corpus.trainer.config import find_size
from corpus.trainer.loss import cross_entropy, nats
from tests.trainer.running import steps, train
from tests.trainer.sentences import small_run

FP32_NAMES = (
    "__pow__ __rdiv__ __rpow__ __rtruediv__ acos asin cosh cosine_similarity cross_entropy "
    "cumprod cumsum dist erfinv exp expm1 group_norm kl_div l1_loss layer_norm log log10 "
    "log1p log2 log_softmax mse_loss nll_loss norm normalize pow prod reciprocal renorm "
    "rms_norm rsqrt sinh smooth_l1_loss softmax softmin softplus sum tan"
)
FP32 = frozenset(FP32_NAMES.split(" "))
"""Functions that CUDA's autocast computes in fp32: torch's documentation, "CUDA Ops that can autocast to float32"."""


class CudaAutocast(TorchFunctionMode):
    """Under a CPU's autocast, computes the functions of FP32 in fp32."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") not in FP32 or not torch.is_autocast_enabled("cpu"):
            return function(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            return function(*map(_raised, args), **{name: _raised(value) for name, value in kwargs.items()})


def _raised(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16 else value


@pytest.fixture(autouse=True)
def as_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU takes the plain expressions, not those that fused.py writes out for CPUs, and a residual in bf16."""
    monkeypatch.setattr(model, "_use_fused", lambda x: False)
    monkeypatch.setattr(model, "NARROW_RESIDUAL_DEVICES", {"cpu"})


@pytest.fixture
def matrices() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States (30, 16), weight (50, 16), targets (30,), every seventh of them padding."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(30, 16, generator=generator).requires_grad_()
    weight = torch.randn(50, 16, generator=generator).requires_grad_()
    targets = torch.randint(50, (30,), generator=generator)
    targets[::7] = -1
    return states, weight, targets


def test_the_mode_takes_softmax_to_fp32_under_autocast_alone() -> None:
    x = torch.ones(2, 3, dtype=torch.bfloat16)
    with CudaAutocast():
        assert x.softmax(dim=1).dtype == torch.bfloat16
        with torch.autocast("cpu", torch.bfloat16):
            assert x.softmax(dim=1).dtype == torch.float32
            assert (x @ x.T).dtype == torch.bfloat16


@pytest.mark.parametrize("z_loss", [0.0, 1e-2])
def test_loss_and_gradients_are_those_of_the_plain_expression(
    matrices: tuple[torch.Tensor, torch.Tensor, torch.Tensor], z_loss: float
) -> None:
    states, weight, targets = matrices
    logits = states @ weight.T
    plain = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1, reduction="sum")
    squares = (logits.logsumexp(dim=1)[targets >= 0] ** 2).sum()
    expected = torch.autograd.grad(plain + z_loss * squares, (states, weight))
    with CudaAutocast(), torch.autocast("cpu", torch.bfloat16):
        loss = cross_entropy(states, weight, targets, z_loss)
        alone = nats(states, weight, targets)
    assert loss.item() == pytest.approx(plain.item(), rel=1e-2)
    assert alone.sum().item() == pytest.approx(plain.item(), rel=1e-2)
    assert alone.dtype == torch.float32
    for gradient, right in zip(torch.autograd.grad(loss, (states, weight)), expected, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - right).norm() < 0.02 * right.norm()


def test_a_run_steps_and_evaluates_as_it_does_in_fp32(workspace: Path, tmp_path: Path) -> None:
    for name, precision in (("bf16", "bf16"), ("fp32", "fp32")):
        config = small_run(workspace, steps=5, precision=precision, evaluate_every=3)
        with CudaAutocast():
            result = train(config, tmp_path / name)
        assert result.step == 5
        assert len(result.scores) == 5, "every source and language was evaluated"
    one, two = (steps(tmp_path / name) for name in ("bf16", "fp32"))
    assert [entry["loss"] for entry in one] == pytest.approx([entry["loss"] for entry in two], rel=5e-3)
    assert [entry["norm"] for entry in one] == pytest.approx([entry["norm"] for entry in two], rel=5e-2)


def test_a_compiled_loss_has_the_gradient_of_an_eager_one_and_is_not_unrolled(
    matrices: tuple[torch.Tensor, torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 15 blocks of two rows; written out, each of them is a dozen nodes of the graph."""
    states, weight, targets = matrices
    monkeypatch.setitem(loss_module.BLOCK_LOGITS, "cpu", 2 * len(weight))
    nodes: list[int] = []

    def count(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        nodes.extend(
            len(module.graph.nodes) for module in graph.modules() if isinstance(module, torch.fx.GraphModule)
        )
        return graph.forward

    compiled = torch.compile(cross_entropy, backend=count, fullgraph=True)
    for found, right in zip(
        torch.autograd.grad(compiled(states, weight, targets, 1e-2), (states, weight)),
        torch.autograd.grad(cross_entropy(states, weight, targets, 1e-2), (states, weight)),
        strict=True,
    ):
        assert right.norm() > 0
        assert torch.allclose(found, right, rtol=1e-5, atol=1e-6)
    assert 0 < sum(nodes) < 30


def test_the_loss_does_not_write_into_its_result() -> None:
    """torch.compile of torch 2.11 drops the gradient of a result that was written into; 2.13 does not."""
    written: list[str] = []

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(function, "__name__", "")
            if name in ("__iadd__", "add_") and args[0].ndim == 0:
                written.append(name)
            return function(*args, **(kwargs or {}))

    states, weight = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    with Watch():
        cross_entropy(states, weight, torch.tensor([0, 1, 2, 3]))
        total = torch.zeros(())
        total += 1
    assert written == ["add_"], "the one that this test makes itself"


def test_between_blocks_states_are_in_bf16_and_gradients_reach_fp32_weights() -> None:
    made = model.GPT(find_size("1m").model(vocabulary=64, context=16))
    model.initialize_weights(made, 0)
    types: list[torch.dtype] = []
    for block in made.blocks:
        block.register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    tokens = torch.randint(64, (2, 17), generator=torch.Generator().manual_seed(0))
    with CudaAutocast(), torch.autocast("cpu", torch.bfloat16):
        made(tokens[:, :-1], tokens[:, 1:]).backward()
    assert types == [torch.bfloat16] * len(made.blocks)
    assert {parameter.grad.dtype for parameter in made.parameters() if parameter.grad is not None} == {
        torch.float32
    }
    made(tokens[:, :-1], tokens[:, 1:])
    assert types[-1] == torch.float32, "without autocast nothing is narrowed"


def test_a_gradient_of_exactly_zero_ends_the_run_with_one_line(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop.Engine, "clip", lambda self: 0.0)
    with pytest.raises(loop.RunError, match="step 1: the gradient is exactly zero") as caught:
        train(small_run(workspace, steps=3), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert steps(tmp_path / "run") == []
