"""`--device cuda:1` is the device of everything: a step, an evaluation, a checkpoint and a text on tensors without
values, which refuse to meet others from elsewhere, and whose types CUDA's own autocast decides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor

from corpus.trainer import checkpoint
from corpus.trainer.attention import document_mask
from corpus.trainer.config import RunConfig
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.evaluate import EvaluationDocument, EvaluationGroup, evaluate
from corpus.trainer.loader import SampleBatch
from corpus.trainer.model import Cache
from tests.trainer.checkpoint_test import SETTINGS
from tests.trainer.cuda_policy import fake_cuda
from tests.trainer.model_test import CONFIG

DEVICE = torch.device("cuda:1")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine on the second of several GPUs, none of which is here."""
    config = RunConfig(**{**vars(SETTINGS), "batch_samples": 2, "micro_samples": 1, "mask_documents": False})
    with fake_cuda():
        yield Engine(config, DEVICE, World())


def batch() -> SampleBatch:
    tokens = np.ones((2, CONFIG.context + 1), np.uint16)
    return SampleBatch(
        tokens=tokens, lengths=np.array([CONFIG.context + 1, 3]), streams=np.zeros(2, np.int64)
    )


def test_a_fake_device_refuses_what_lies_elsewhere_and_has_cuda_s_autocast() -> None:
    with fake_cuda():
        x = torch.ones(4, 4, device=DEVICE)
        assert isinstance(x, FakeTensor)
        for other in (torch.ones(4, 4), torch.ones(4, 4, device="cuda:0")):
            with pytest.raises(RuntimeError, match="device"):
                x + other
        with torch.autocast("cuda", torch.bfloat16):
            assert (x @ x).dtype == torch.bfloat16
            assert (x @ x).softmax(dim=1).dtype == torch.float32


@pytest.mark.parametrize("bf16", [True, False])
def test_a_step_stays_on_its_device(engine: Engine, bf16: bool) -> None:
    assert engine.bf16
    engine.bf16 = bf16
    loss, norm = engine.backward(batch(), 10), engine.clip()
    assert {loss.device, norm.device} == {DEVICE}
    assert engine.read(loss, norm) == (1.0, 1.0)
    engine.update(0.01)
    state = [
        value
        for optimizer in engine.optimizers
        for entry in optimizer.state.values()
        for value in entry.values()
    ]
    assert state
    assert {value.device for value in [*engine.model.parameters(), *state]} == {DEVICE}


def test_an_evaluation_stays_on_its_device(engine: Engine) -> None:
    document = EvaluationDocument(tokens=np.arange(1, 40), bytes=99, language="tha_Thai")
    group = EvaluationGroup(source="web", language="tha_Thai", documents=(document,), all_bytes=99)
    (score,) = evaluate(engine.model, [group], end_of_text=0, samples=2, bf16=True)
    assert score.tokens == 39


def test_the_next_token_is_computed_on_its_device(engine: Engine) -> None:
    with torch.no_grad():
        cache = Cache(CONFIG, 1, DEVICE)
        for fresh in ([1, 2, 3], [4]):
            logits = engine.model.last_logits(torch.tensor([fresh], device=DEVICE), cache)
            assert (logits.device, logits.dtype) == (DEVICE, torch.float32)


def test_a_document_mask_is_made_on_its_device(engine: Engine) -> None:
    mask = document_mask(torch.zeros(2, 16, dtype=torch.int64, device=DEVICE), 0)
    assert mask.kv_indices.device == DEVICE


def test_a_checkpoint_is_copied_from_its_device_and_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: asked.append(device) or torch.zeros(8))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda value, device: asked.append(device))
    engine.backward(batch(), 10)
    engine.update(0.01)
    training = checkpoint._training_tensors(engine.model, engine.optimizers)
    copies = checkpoint._copy_on_device([engine.model.state_dict(), training])
    there = {
        name: value for each in copies for name, value in each.items() if not name.startswith("generator/")
    }
    assert {value.device for value in there.values()} == {DEVICE}
    model, training = ({name: checkpoint._to_host(value) for name, value in each.items()} for each in copies)
    assert {value.device.type for value in (*model.values(), *training.values())} == {"cpu"}
    training["generator/cpu"] = torch.get_rng_state()
    monkeypatch.setattr(torch, "set_rng_state", lambda value: None)
    for optimizer in engine.optimizers:
        optimizer.state.clear()
    monkeypatch.setattr(
        engine.model, "load_state_dict", lambda state: asked.append({v.device for v in state.values()})
    )
    checkpoint.Checkpoint(step=1, state={}, model=model, training=training).restore(
        engine.model, engine.optimizers
    )
    assert asked == [DEVICE, {DEVICE}, DEVICE]
    state = [
        value
        for optimizer in engine.optimizers
        for entry in optimizer.state.values()
        for value in entry.values()
    ]
    assert {value.device for value in state} == {DEVICE}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


WITHOUT_DEVICE = {
    "torch.cuda.is_available", "torch.cuda.init", "torch.cuda.device_count", "torch.cuda.is_bf16_supported",
    "torch.cuda.Event", "torch.cuda.stream", "torch.cuda.empty_cache",
}  # fmt: skip
"""Calls of torch.cuda that ask about all devices, or belong to one by the context or argument that they have."""


def test_no_call_of_torch_cuda_leaves_the_device_to_chance() -> None:
    checked = 0
    for room in ("trainer", "inference", "experiments"):
        for path in sorted((ROOT / "corpus" / room).rglob("*.py")):
            for name, call in calls(path):
                where = f"{path.name}:{call.lineno}: {ast.unparse(call)}"
                values = [*call.args, *(keyword.value for keyword in call.keywords)]
                assert "'cuda'" not in map(ast.unparse, values), f"{where}: a device without its number"
                if name.startswith("torch.cuda.") and name not in WITHOUT_DEVICE:
                    checked += 1
                    assert call.args or call.keywords, where
    assert checked > 5
