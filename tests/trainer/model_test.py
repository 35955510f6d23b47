"""The model against the same arithmetic written out by hand, and what has to hold of any causal model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from corpus.trainer import loss
from corpus.trainer.config import MODEL_SIZES, ModelConfig, find_size
from corpus.trainer.model import GPT, Cache, initialize_weights

CONFIG = ModelConfig(
    vocabulary=50, context=16, depth=2, width=24, heads=4, kv_heads=2, head_width=6, hidden=40, tied=False
)


def make(config: ModelConfig = CONFIG, seed: int = 1) -> GPT:
    model = GPT(config)
    initialize_weights(model, seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:  # gains of one would hide a gain in the wrong place
                parameter.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(len(name)))
    return model


def naive(model: GPT, tokens: list[int]) -> np.ndarray:
    """Logits of one sequence in float64, position by position and head by head."""
    config = model.config
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}
    width = config.head_width

    def norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
        return x / math.sqrt((x**2).mean() + config.norm_epsilon) * gain

    def turn(x: np.ndarray, position: int) -> np.ndarray:
        out = np.empty(width)
        for i in range(width // 2):
            angle = position * config.rope_base ** (-2 * i / width)
            a, b = x[i], x[i + width // 2]
            out[i] = a * math.cos(angle) - b * math.sin(angle)
            out[i + width // 2] = a * math.sin(angle) + b * math.cos(angle)
        return out

    stream = [weights["embedding.weight"][token] for token in tokens]
    for layer in range(config.depth):
        w = {
            k.removeprefix(f"blocks.{layer}."): v
            for k, v in weights.items()
            if k.startswith(f"blocks.{layer}.")
        }
        queries, keys, values = [], [], []
        for position, x in enumerate(stream):
            rows = (w["attention.qkv.weight"] @ norm(x, w["attention_norm.weight"])).reshape(-1, width)
            heads, kv = config.heads, config.kv_heads
            queries.append([turn(norm(row, w["attention.q_norm.weight"]), position) for row in rows[:heads]])
            keys.append(
                [turn(norm(r, w["attention.k_norm.weight"]), position) for r in rows[heads : heads + kv]]
            )
            values.append(rows[heads + kv :])
        for position, x in enumerate(stream):
            mixed = []
            for head in range(config.heads):
                group = head * config.kv_heads // config.heads
                scores = [
                    queries[position][head] @ keys[p][group] / math.sqrt(width) for p in range(position + 1)
                ]
                shares = np.exp(scores) / np.exp(scores).sum()
                mixed.append(sum(share * values[p][group] for p, share in enumerate(shares)))
            x = x + w["attention.out.weight"] @ np.concatenate(mixed)
            gate, up = np.split(w["mlp.gate_up.weight"] @ norm(x, w["mlp_norm.weight"]), 2)
            stream[position] = x + w["mlp.down.weight"] @ (gate / (1 + np.exp(-gate)) * up)
    output = weights["embedding.weight"] if config.tied else weights["output.weight"]
    return np.array([output @ norm(x, weights["norm.weight"]) for x in stream])


@pytest.mark.parametrize("tied", [True, False])
def test_logits_are_those_of_the_formulas_written_out(tied: bool) -> None:
    model = make(ModelConfig(**{**vars(CONFIG), "tied": tied}))
    tokens = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 3, 2, 38, 46, 26]
    found = model.logits(torch.tensor([tokens]))[0].detach().numpy()
    assert np.abs(found - naive(model, tokens)).max() < 1e-5


def test_a_token_changes_nothing_before_it() -> None:
    model = make()
    tokens = torch.randint(50, (1, 16), generator=torch.Generator().manual_seed(0))
    changed = tokens.clone()
    changed[0, 9] = (changed[0, 9] + 1) % 50
    a, b = model.logits(tokens)[0], model.logits(changed)[0]
    assert torch.equal(a[:9], b[:9])
    assert (a[9:] - b[9:]).abs().amax(dim=1).min() > 1e-4


@pytest.mark.parametrize("pieces", [[16], [1] * 16, [5, 1, 1, 9], [15, 1]])
def test_a_cache_gives_what_the_whole_gives(pieces: list[int]) -> None:
    model = make()
    tokens = torch.randint(50, (2, 16), generator=torch.Generator().manual_seed(0))
    cache = Cache(CONFIG, 2, torch.device("cpu"))
    parts = [model.logits(piece, cache) for piece in tokens.split(pieces, dim=1)]
    assert (torch.cat(parts, dim=1) - model.logits(tokens)).abs().max() < 1e-5


def test_more_positions_than_the_context_are_refused() -> None:
    with pytest.raises(ValueError, match="17 positions in a context of 16"):
        make().logits(torch.zeros(1, 17, dtype=torch.long))


@pytest.mark.parametrize("block", [1, 70, 1 << 21])
def test_the_loss_in_blocks_has_the_value_and_gradients_of_torch_cross_entropy(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loss.BLOCK_LOGITS, "cpu", block)
    random = torch.Generator().manual_seed(0)
    states = torch.randn(13, 24, generator=random).requires_grad_()
    weight = torch.randn(50, 24, generator=random).requires_grad_()
    targets = torch.randint(50, (13,), generator=random)
    targets[[2, 12]] = -1
    ours = loss.cross_entropy(states, weight, targets)
    (ours * 0.25).backward()
    gradients = states.grad, weight.grad
    states.grad = weight.grad = None
    plain = F.cross_entropy(F.linear(states, weight), targets, reduction="sum", ignore_index=-1)
    (plain * 0.25).backward()
    assert ours.item() == pytest.approx(plain.item(), rel=1e-6)
    for found, expected in zip(gradients, (states.grad, weight.grad), strict=True):
        assert (found - expected).abs().max() < 1e-5
    each = loss.nats(states, weight, targets)
    assert each[[2, 12]].tolist() == [0, 0]
    assert each.sum().item() == pytest.approx(plain.item(), rel=1e-6)


def test_in_bf16_the_loss_stays_within_a_thousandth() -> None:
    model = make()
    tokens = torch.randint(50, (8, 17), generator=torch.Generator().manual_seed(0))
    exact = model(tokens[:, :-1], tokens[:, 1:]).item()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(tokens[:, :-1], tokens[:, 1:])
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact, rel=2e-3)


def test_the_first_loss_is_that_of_guessing() -> None:
    config = find_size("tiny").model(vocabulary=1000, context=64)
    model = GPT(config)
    initialize_weights(model, 0)
    tokens = torch.randint(1000, (4, 65), generator=torch.Generator().manual_seed(0))
    mean = model(tokens[:, :-1], tokens[:, 1:]).item() / 256
    assert math.log(1000) <= mean < math.log(1000) + 1


def test_a_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    first = make(seed=4).state_dict()
    torch.rand(100)
    assert all(torch.equal(value, first[name]) for name, value in make(seed=4).state_dict().items())
    assert not torch.equal(first["embedding.weight"], make(seed=5).state_dict()["embedding.weight"])


@pytest.mark.parametrize("name", [*MODEL_SIZES, "d4"])
def test_a_size_has_the_parameters_it_says(name: str) -> None:
    config = find_size(name).model(vocabulary=1024)
    with torch.device("meta"):
        model = GPT(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == config.parameters()


def test_the_gpt2_sizes_are_of_gpt2_size() -> None:
    found = [find_size(name).model(vocabulary=50_257).parameters() for name in MODEL_SIZES if "gpt2" in name]
    assert found == pytest.approx([124e6, 355e6, 774e6, 1558e6], rel=0.01)


def test_flops_count_the_matrices_six_times_and_attention_by_the_context() -> None:
    config = ModelConfig(
        vocabulary=10, context=100, depth=1, width=4, heads=2, kv_heads=1, head_width=2, hidden=8
    )
    matrices = 4 * 8 + 4 * 4 + 3 * 4 * 8 + 10 * 4
    gains = 2 * 4 + 2 * 2
    assert config.flops_per_token() == 6 * (matrices + gains) + 12 * 1 * 4 * 100


def test_z_loss_is_in_the_gradient_and_not_in_the_value() -> None:
    random = torch.Generator().manual_seed(0)
    states = (4 * torch.randn(13, 24, generator=random)).requires_grad_()
    weight = torch.randn(50, 24, generator=random).requires_grad_()
    targets = torch.randint(50, (13,), generator=random)
    targets[[2, 12]] = -1
    ours = loss.cross_entropy(states, weight, targets, 0.01)
    ours.backward()
    gradients = states.grad, weight.grad
    states.grad = weight.grad = None
    logits = F.linear(states, weight)
    plain = F.cross_entropy(logits, targets, reduction="sum", ignore_index=-1)
    (plain + 0.01 * (logits.logsumexp(dim=1).square() * (targets >= 0)).sum()).backward()
    assert ours.item() == pytest.approx(plain.item(), rel=1e-6)
    for found, expected in zip(gradients, (states.grad, weight.grad), strict=True):
        assert (found - expected).abs().max() < 1e-4
