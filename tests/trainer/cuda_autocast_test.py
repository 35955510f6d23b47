"""What a GPU's autocast does to a step, an evaluation and a text, shown on a CPU (cuda_policy.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from corpus.inference.generate import Writer
from corpus.inference.run import TrainedModel
from corpus.trainer import attention, loop, model
from corpus.trainer import loss as loss_module
from corpus.trainer.config import find_size
from corpus.trainer.loss import cross_entropy, nats
from corpus.trainer.muon import orthogonalize
from tests.trainer.cuda_policy import LOWER, WIDEST, cuda_policy, fake_cuda, registered
from tests.trainer.running import steps, train
from tests.trainer.sentences import small_run

Call = Callable[[Tensor, Tensor], Tensor]
CALLS: dict[str, Call] = {
    "softmax": lambda x, w: x.softmax(dim=1), "F.softmax": lambda x, w: F.softmax(x, -1),
    "log_softmax": lambda x, w: torch.log_softmax(x, 1), "softmin": lambda x, w: F.softmin(x, 1),
    "logsumexp": lambda x, w: x.logsumexp(1), "sum": lambda x, w: x.sum(), "sum of rows": lambda x, w: torch.sum(x, 1),
    "sum in bf16": lambda x, w: x.sum(1, dtype=torch.bfloat16), "mean": lambda x, w: x.mean(1),
    "cumsum": lambda x, w: x.cumsum(1), "cumsum of integers": lambda x, w: (x > 0).cumsum(1),
    "prod": lambda x, w: x.prod(), "exp": lambda x, w: x.exp(), "exp of fp64": lambda x, w: x.double().exp(),
    "log": lambda x, w: torch.log(x), "log in place": lambda x, w: x.clone().log_(), "rsqrt": lambda x, w: x.rsqrt(),
    "power": lambda x, w: x**2, "power of 2": lambda x, w: 2**x, "square": lambda x, w: x.square(),
    "inverse": lambda x, w: 1 / x, "rms_norm": lambda x, w: F.rms_norm(x, (8,)),
    "layer_norm": lambda x, w: F.layer_norm(x, (8,)), "vector_norm": lambda x, w: torch.linalg.vector_norm(x),
    "linalg.norm": lambda x, w: torch.linalg.norm(x), "norm": lambda x, w: x.norm(),
    "norms": lambda x, w: x.norm(dim=1),
    "normalize": lambda x, w: F.normalize(x), "cosine": lambda x, w: F.cosine_similarity(x, x),
    "cross_entropy": lambda x, w: F.cross_entropy(x, (x[0] < 0).long()), "mse_loss": lambda x, w: F.mse_loss(x, x),
    "variance": lambda x, w: x.var(), "maximum": lambda x, w: x.amax(1), "matmul": lambda x, w: x @ w,
    "linear": lambda x, w: F.linear(w, x), "bmm": lambda x, w: torch.bmm(w[None], w[None]),
    "baddbmm": lambda x, w: torch.baddbmm(x[None], w[None], w[None], beta=2), "mv": lambda x, w: w.mv(w[0]),
    "einsum": lambda x, w: torch.einsum("ij,jk", x, w), "vecdot": lambda x, w: torch.linalg.vecdot(w, w),
    "dot": lambda x, w: x[0].dot(w[0]), "cat": lambda x, w: torch.cat([x, w]),
    "stack": lambda x, w: torch.stack([x, w]),
    "attention": lambda x, w: F.scaled_dot_product_attention(x[None, None], w[None, None], x[None, None]),
    "addcmul": lambda x, w: torch.addcmul(x, w, x), "add": lambda x, w: x + w, "silu": lambda x, w: F.silu(x),
    "scatter_add": lambda x, w: x.scatter_add(1, (x > 9).long(), w), "lerp": lambda x, w: w.lerp(w, 0.5),
    "gather": lambda x, w: x.gather(1, (x > 9).long()), "clamp": lambda x, w: x.clamp(min=1),
}  # fmt: skip
"""Ways to call what a model, a loss or an optimizer is made of, on a bf16 and an fp32 matrix of 8 by 8."""


def result_types(device: str) -> dict[str, str]:
    """The type of the result of every call under autocast, or the error."""
    types = {}
    x, w = torch.ones(8, 8, device=device).bfloat16(), torch.ones(8, 8, device=device)
    with torch.autocast(device.partition(":")[0], torch.bfloat16):
        for name, call in CALLS.items():
            try:
                types[name] = str(call(x, w).dtype)
            except RuntimeError as error:
                types[name] = type(error).__name__
    return types


@pytest.fixture
def as_on_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """CUDA's autocast, and as on a GPU the plain expressions, neither fused.py nor narrow_attention.py, which are for
    CPUs, and a residual in bf16."""
    monkeypatch.setattr(model, "_use_fused", lambda x: False)
    monkeypatch.setattr(attention, "is_narrow_on_cpu", lambda q, k: False)
    monkeypatch.setattr(model, "NARROW_RESIDUAL_DEVICES", {"cpu"})
    with cuda_policy():
        yield


@pytest.fixture
def compiled_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile's graphs and gradients, run as they are instead of turned into C++."""
    before = torch.compile
    monkeypatch.setattr(torch, "compile", lambda f=None, **how: before(f, backend="aot_eager"))


@pytest.fixture
def matrices() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States (30, 16), weight (50, 16), targets (30,), every seventh of them padding."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(30, 16, generator=generator).requires_grad_()
    weight = torch.randn(50, 16, generator=generator).requires_grad_()
    targets = torch.randint(50, (30,), generator=generator)
    targets[::7] = -1
    return states, weight, targets


def test_every_call_gives_the_type_that_cuda_gives() -> None:
    plain = result_types("cpu")
    with fake_cuda():
        right = result_types("cuda:0")
    with cuda_policy():
        assert result_types("cpu") == right
    assert result_types("cpu") == plain, "it is put back"
    differing = {name for name in CALLS if plain[name] != right[name]}
    assert {
        "softmax",
        "logsumexp",
        "sum",
        "cumsum",
        "exp",
        "log",
        "rsqrt",
        "power",
        "norm",
        "normalize",
    } <= differing


def test_torch_registers_what_the_lists_name() -> None:
    """A new torch may add to its list what the policy would take to fp32; these three were looked at."""
    names = registered("AutocastCUDA")
    assert {
        "softmax.int",
        "sum.dim_IntList",
        "linalg_vector_norm",
        "pow.Tensor_Scalar",
    } <= names - LOWER - WIDEST
    assert {"mm", "bmm", "linear", "scaled_dot_product_attention"} <= names & LOWER
    assert len(names - LOWER - WIDEST) < 90


def test_a_product_of_what_autocast_has_raised_fails_as_on_cuda(as_on_cuda: None) -> None:
    """The loss of an earlier version: it trained on CPUs, and died in its first step on CUDA."""
    x, w = torch.ones(4, 8).bfloat16(), torch.ones(5, 8).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        gradient = (x @ w.T).softmax(dim=1)
        with torch.autocast("cpu", enabled=False), pytest.raises(RuntimeError, match="same dtype"):
            gradient @ w


@pytest.mark.parametrize("z_loss", [0.0, 1e-2])
def test_loss_and_gradients_are_those_of_the_plain_expression(
    matrices: tuple[torch.Tensor, torch.Tensor, torch.Tensor], z_loss: float, as_on_cuda: None
) -> None:
    states, weight, targets = matrices
    logits = states @ weight.T
    plain = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1, reduction="sum")
    squares = (logits.logsumexp(dim=1)[targets >= 0] ** 2).sum()
    expected = torch.autograd.grad(plain + z_loss * squares, (states, weight))
    with torch.autocast("cpu", torch.bfloat16):
        loss = cross_entropy(states, weight, targets, z_loss)
        alone = nats(states, weight, targets)
    assert loss.item() == pytest.approx(plain.item(), rel=1e-2)
    assert alone.sum().item() == pytest.approx(plain.item(), rel=1e-2)
    assert alone.dtype == torch.float32
    for gradient, right in zip(torch.autograd.grad(loss, (states, weight)), expected, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - right).norm() < 0.02 * right.norm()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mask_documents": True},
        {"optimizer": "adamw", "z_loss": 0.0},
        {"compile": True},
        {"compile": True, "mask_documents": True, "optimizer": "adamw"},
    ],
    ids=["muon", "masked", "adamw", "compiled", "compiled, masked, adamw"],
)
def test_a_run_steps_and_evaluates_as_it_does_in_fp32(
    workspace: Path, tmp_path: Path, as_on_cuda: None, compiled_quickly: None, settings: dict[str, Any]
) -> None:
    """In micro-batches of half a step; the run in fp32 is eager."""
    for name, changes in (("bf16", {"precision": "bf16"}), ("fp32", {"precision": "fp32", "compile": False})):
        config = small_run(workspace, steps=5, evaluate_every=3, micro_tokens=48, **{**settings, **changes})
        result = train(config, tmp_path / name)
        assert result.step == 5
        assert len(result.scores) == 5, "every source and language was evaluated"
    one, two = (steps(tmp_path / name) for name in ("bf16", "fp32"))
    assert [entry["loss"] for entry in one] == pytest.approx([entry["loss"] for entry in two], rel=5e-3)
    assert [entry["norm"] for entry in one] == pytest.approx([entry["norm"] for entry in two], rel=5e-2)


def test_a_text_is_written_and_measured_as_without(workspace: Path, tmp_path: Path) -> None:
    train(small_run(workspace, steps=2), tmp_path / "run")
    trained = TrainedModel(tmp_path / "run", torch.device("cpu"), print)
    tokens = torch.tensor([[5, 6, 7, 8]])

    def write() -> str:
        return "".join(Writer(trained).write("今天", tokens=8, seed=1))

    def measure() -> Tensor:
        return trained.model.nats(tokens[:, :-1], tokens[:, 1:])

    text, right = write(), measure()
    with cuda_policy(), torch.autocast("cpu", torch.bfloat16):
        assert isinstance(write(), str)
        rounded = measure()
    with cuda_policy():
        assert write() == text
    assert rounded.dtype == torch.float32
    assert rounded == pytest.approx(right, rel=2e-2)


def test_muon_s_products_are_in_bf16_and_orthogonal(as_on_cuda: None) -> None:
    matrices = list(torch.randn(3, 16, 24, generator=torch.Generator().manual_seed(1)))
    with torch.autocast("cpu", torch.bfloat16):
        found = orthogonalize(matrices, torch.bfloat16)
    assert found.dtype == torch.bfloat16
    values = torch.linalg.svdvals(found.float())
    assert 0.6 < values.min() < values.max() < 1.3


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


@pytest.mark.usefixtures("as_on_cuda")
def test_between_blocks_states_are_in_bf16_and_gradients_reach_fp32_weights() -> None:
    made = model.GPT(find_size("1m").model(vocabulary=64, context=16))
    model.initialize_weights(made, 0)
    types: list[torch.dtype] = []
    for block in made.blocks:
        block.register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    tokens = torch.randint(64, (2, 17), generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
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
