"""`corpus.open(DIR).torch()`: the samples of `corpus train`, for DataLoaders, many processes, and transformers."""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from corpus.errors import UserError
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader
from corpus.trainer.torch_dataset import PackedDataset, count_positions
from corpus.workspace import Workspace
from tests.ledger.demo import demo_workspace
from tests.trainer.sentences import shard, small_run, write_workspace

CONTEXT = 24
ROOT = Path(__file__).parents[2]
NEEDS_ACCELERATE = pytest.mark.skipif(
    not (importlib.util.find_spec("transformers") and importlib.util.find_spec("accelerate")),
    reason="transformers' Trainer needs accelerate: pip install transformers accelerate",
)


def packed(workspace: Path, **options: Any) -> PackedDataset:
    return Workspace(str(workspace)).torch(**{"context": CONTEXT, **options})


def windows(dataset: Any) -> list[list[int]]:
    """Each sample's window of context + 1 tokens, from `labels="next"`."""
    return [[*item["input_ids"].tolist(), int(item["labels"][-1])] for item in dataset]


def train_batches(workspace: Path, start: int, stop: int, **options: Any) -> np.ndarray:
    """What the training loop reads, by its own configuration and loader."""
    config = small_run(workspace, **options)
    loader = Loader(
        open_dataset(str(workspace)), context=config.model.context, seed=config.seed, shares=config.shares
    )
    return loader.read(start, stop).tokens


@pytest.fixture
def mixture(tmp_path: Path) -> str:
    path = tmp_path / "mixture.yaml"
    path.write_text("weights: {web: 1, books: 4}\ntemperature: 0.5\nmax_epochs: 9\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("seed", [0, 7])
def test_samples_are_those_of_the_trainer_bit_for_bit_over_several_epochs(workspace: Path, seed: int) -> None:
    dataset = packed(workspace, seed=seed, labels="next", stop=1200)
    assert dataset.epoch_samples < 400
    assert windows(dataset) == train_batches(workspace, 0, 1200, seed=seed).tolist()


def test_a_mixture_gives_the_weights_of_a_run_of_that_length(workspace: Path, mixture: str) -> None:
    steps, batch = 12, 4
    read = windows(packed(workspace, mixture=mixture, labels="next", stop=steps * batch))
    options = {"mixture": mixture, "steps": steps, "batch_tokens": batch * CONTEXT}
    assert read == train_batches(workspace, 0, steps * batch, **options).tolist()
    assert read != windows(packed(workspace, labels="next", stop=steps * batch))


def test_without_a_stop_it_ends_with_the_epoch(workspace: Path) -> None:
    whole = packed(workspace)
    assert len(whole) == whole.epoch_samples == len(list(whole))
    assert len(packed(workspace, start=10)) == len(whole) - 10
    assert len(packed(workspace, start=len(whole))) == len(whole)


def test_a_run_resumes_from_a_number(workspace: Path) -> None:
    whole = windows(packed(workspace, labels="next", stop=100))
    for start in (1, 37, 99):
        assert windows(packed(workspace, labels="next", start=start, stop=100)) == whole[start:]


@pytest.mark.parametrize("world", [2, 3, 5])
def test_processes_read_together_what_one_reads(workspace: Path, world: int) -> None:
    batch, steps = 4, 6
    ranks = [
        DataLoader(
            packed(workspace, labels="next", rank=rank, world=world, stop=batch * steps * world + world - 1),
            batch_size=batch,
        )
        for rank in range(world)
    ]
    together = list(zip(*ranks, strict=True))
    assert len(together) == steps
    for step, parts in enumerate(together):
        read = sorted(part["labels"][row].tolist() for part in parts for row in range(batch))
        start = step * batch * world
        assert read == sorted(train_batches(workspace, start, start + batch * world)[:, 1:].tolist())


def test_the_process_is_known_from_the_environment(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (packed(workspace).rank, packed(workspace).world) == (0, 1)
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert (packed(workspace).rank, packed(workspace).world) == (2, 3)
    assert packed(workspace, rank=0, world=1).world == 1
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 4)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 8)
    assert (packed(workspace).rank, packed(workspace).world) == (4, 8)


@pytest.mark.parametrize("method", [None, "fork", "spawn"])
def test_a_data_loader_keeps_the_order_with_any_workers(workspace: Path, method: str | None) -> None:
    dataset = packed(workspace, labels="next", stop=50)
    first = dataset[0]  # this process has mapped a shard, as a user who looked at an item
    workers = {"num_workers": 2, "multiprocessing_context": method} if method else {}
    batches = list(DataLoader(dataset, batch_size=8, **workers))
    assert [len(batch["input_ids"]) for batch in batches] == [8] * 6 + [2]
    assert all(block.dtype == torch.int64 for batch in batches for block in batch.values())
    assert torch.equal(batches[0]["input_ids"][0], first["input_ids"])
    read = torch.cat([torch.cat([b["input_ids"], b["labels"][:, -1:]], dim=1) for b in batches])
    assert read.tolist() == train_batches(workspace, 0, 50).tolist()


def test_samples_that_are_read_together_become_a_batch_without_a_copy(workspace: Path) -> None:
    dataset = packed(workspace)
    samples = dataset.__getitems__([3, 4, 5])
    batch = torch.utils.data.default_collate(samples)
    assert batch is samples.batch
    assert all(block.is_contiguous() for block in batch.values())
    batch["labels"].fill_(-100)
    assert (batch["input_ids"] >= 0).all()
    apart = torch.utils.data.default_collate([dataset[i] for i in (3, 4, 5)])
    assert torch.equal(apart["input_ids"], batch["input_ids"])


def test_any_order_of_items_gives_the_same_items(workspace: Path) -> None:
    dataset = packed(workspace, stop=60)
    items = [[17, 3, 3, 59], [5], [2, 4, 6], [1, 2, 4, 4]]
    for wanted in items:
        for item, sample in zip(wanted, dataset.__getitems__(wanted), strict=True):
            assert torch.equal(sample["input_ids"], dataset[item]["input_ids"])
    assert torch.equal(dataset[-1]["input_ids"], dataset[59]["input_ids"])
    subset = next(iter(DataLoader(Subset(dataset, [9, 8, 7]), batch_size=3)))
    assert torch.equal(subset["input_ids"][2], dataset[7]["input_ids"])
    with pytest.raises(IndexError):
        dataset[60]
    with pytest.raises(IndexError):
        dataset.__getitems__([0, 60])


def test_labels_are_the_inputs_or_the_tokens_after_them(workspace: Path) -> None:
    same, following, both = (
        packed(workspace, labels=labels, stop=1)[0] for labels in ("same", "next", "both")
    )
    assert same.keys() == following.keys() == {"input_ids", "labels"}
    assert torch.equal(same["labels"], same["input_ids"])
    assert torch.equal(following["labels"][:-1], following["input_ids"][1:])
    assert both.keys() == {"input_ids", "labels", "shift_labels"}
    assert torch.equal(both["labels"], same["labels"])
    assert torch.equal(both["shift_labels"], following["labels"])


def test_padding_has_labels_that_a_loss_ignores(tmp_path: Path) -> None:
    streams = {
        ("web", "hin_Deva"): {"train": [[("नदी का पानी बढ़ गया।", "hin_Deva")]]},
        ("web", "tha_Thai"): {"train": [shard("tha_Thai", 9)]},
    }
    dataset = open_dataset(str(write_workspace(tmp_path, streams)))
    length = {stream.language: stream.tokens for stream in dataset.streams("train")}["hin_Deva"]
    context = length + 5
    items = list(packed(tmp_path, context=context, labels="both"))
    short = [item for item in items if (item["labels"] == -100).any()]
    assert 0 < len(short) < len(items)
    for item in short:
        assert (item["labels"] == -100).tolist() == [False] * length + [True] * 5
        assert (item["shift_labels"] == -100).tolist() == [False] * (length - 1) + [True] * 6
        assert (item["input_ids"][length - 1 :] == dataset.end_of_text).all()


def test_validation_windows_are_read_once_each_in_their_order(workspace: Path) -> None:
    dataset = open_dataset(str(workspace))
    valid = packed(workspace, split="valid", labels="next", context=8)
    assert windows(valid) == windows(packed(workspace, split="valid", labels="next", context=8, seed=5))
    expected = []
    for stream in dataset.streams("valid"):
        tokens = []
        for entry in stream.shards:
            with (dataset.folder / entry.path).open("rb") as file:
                tokens += pa.ipc.open_file(file).read_all()["tokens"].combine_chunks().flatten().to_pylist()
        starts = [min(first, len(tokens) - 9) for first in range(0, len(tokens) - 1, 8)]
        expected += [tokens[start : start + 9] for start in starts]
    assert windows(valid) == expected
    parts = [
        windows(packed(workspace, split="valid", labels="next", context=8, rank=r, world=2)) for r in (0, 1)
    ]
    assert [window for pair in zip(*parts, strict=True) for window in pair] == expected[: 2 * len(parts[0])]


def test_positions_begin_again_with_every_document() -> None:
    tokens = np.array([[7, 8, 0, 5, 5, 0, 0, 9], [0, 1, 2, 3, 4, 5, 6, 0]])
    assert count_positions(tokens, 0).tolist() == [[0, 1, 0, 1, 2, 0, 0, 1], [0, 1, 2, 3, 4, 5, 6, 0]]


def test_a_dataset_travels_to_another_process_unopened(workspace: Path) -> None:
    dataset = packed(workspace, position_ids=True)
    before = dataset[5]
    assert before.keys() == {"input_ids", "labels", "position_ids"}
    content = pickle.dumps(dataset)
    assert len(content) < 5_000
    after = pickle.loads(content)[5]
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert repr(dataset).startswith("PackedDataset('sentences', train, samples 0 to ")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"context": 10**6}, r"context 1,000,000: no stream is that long: .*, the longest, has"),
        ({"context": 0}, "context 0: must be at least 1"),
        ({"split": "validation"}, "split 'validation': choose from train, valid"),
        ({"labels": "shifted"}, "labels 'shifted': choose from same, next, both"),
        ({"rank": 2, "world": 2}, "rank 2 of 2 processes: must be 0 to 1"),
        ({"rank": -1, "world": 2}, "rank -1 of 2 processes: must be 0 to 1"),
        ({"rank": 0, "world": 0}, "world 0: must be at least 1"),
        ({"rank": 1}, "give both rank and world, or neither"),
        ({"start": -1}, "start -1: must be at least 0"),
        ({"start": 9, "stop": 9}, "stop 9: must be at least 10"),
        ({"stop": 3, "rank": 0, "world": 4}, "samples 0 to 3 are too few for 4 processes"),
        ({"mixture": "nowhere"}, "mixture nowhere: no such file or preset: choose from balanced"),
        ({"mixture": "balanced", "split": "valid"}, "a mixture is for split='train'"),
    ],
)
def test_a_mistake_is_one_line(workspace: Path, options: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=f"^{line}") as error:
        packed(workspace, **options)
    assert "\n" not in str(error.value)


def test_a_mixture_with_a_bound_on_epochs_needs_an_end(workspace: Path, mixture: str) -> None:
    with pytest.raises(UserError, match="has max_epochs, which needs a run of known length: give `stop`"):
        packed(workspace, mixture=mixture)


def test_a_rank_of_the_environment_that_is_no_number_is_told(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UserError, match="RANK=first WORLD_SIZE=1 in the environment: must be numbers"):
        packed(workspace)


def test_a_workspace_without_shards_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no token shards yet: its build is not finished"):
        Workspace.create(str(tmp_path / "new")).torch()
    write_workspace(tmp_path / "dropped", {("web", "tha_Thai"): {"valid": [shard("tha_Thai", 2)]}})
    with pytest.raises(UserError, match="no training tokens"):
        packed(tmp_path / "dropped")
    write_workspace(tmp_path / "whole", {("web", "arb_Arab"): {"train": [shard("arb_Arab", 9)]}})
    with pytest.raises(UserError, match="lists no validation tokens: use split='train'"):
        packed(tmp_path / "whole", split="valid")
    next((tmp_path / "whole").rglob("*.arrow")).unlink()
    with pytest.raises(UserError, match="is missing: build the tokens again"):
        packed(tmp_path / "whole")


def test_without_torch_the_error_says_how_to_install_it(workspace: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from corpus.errors import UserError\n"
        "from corpus.workspace import Workspace\n"
        f"try: Workspace({str(workspace)!r}).torch()\n"
        "except UserError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert re.fullmatch(r"torch is not installed: pip install .*\n", done.stdout), done.stderr


def small_llama(workspace: Path, **options: Any) -> Any:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=open_dataset(str(workspace)).vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=CONTEXT,
            **options,
        )
    )


def test_models_of_transformers_take_a_batch_and_shift_its_labels(workspace: Path) -> None:
    model = small_llama(workspace)
    same, following, both = (
        next(iter(DataLoader(packed(workspace, labels=labels), batch_size=4)))
        for labels in ("same", "next", "both")
    )
    with torch.no_grad():
        logits = model(input_ids=same["input_ids"]).logits
        inner = F.cross_entropy(logits[:, :-1].flatten(0, 1), following["labels"][:, :-1].flatten())
        every = F.cross_entropy(logits.flatten(0, 1), following["labels"].flatten())
        assert model(**same).loss.item() == pytest.approx(inner.item(), rel=1e-6)
        assert model(**both).loss.item() == pytest.approx(every.item(), rel=1e-6)


def test_positions_keep_documents_apart_in_models_of_transformers(workspace: Path) -> None:
    model = small_llama(workspace, use_cache=False)
    dataset = packed(workspace, position_ids=True)
    begins = [int((sample["position_ids"] == 0).nonzero()[-1]) for sample in dataset]
    chosen = next(item for item, begin in enumerate(begins) if 4 < begin < CONTEXT - 4)
    batch, begin = next(iter(DataLoader(Subset(dataset, [chosen, 0]), batch_size=2))), begins[chosen]
    other = batch["input_ids"].clone()
    other[0, :begin] = other[0, :begin].flip(0)
    with torch.no_grad():
        one, two = (
            model(input_ids=tokens, position_ids=batch["position_ids"]).logits[0, begin:]
            for tokens in (batch["input_ids"], other)
        )
        mixed = model(input_ids=other).logits[0, begin:]
    assert torch.allclose(one, two, atol=1e-6)
    assert not torch.allclose(one, mixed, atol=1e-4)


@NEEDS_ACCELERATE
@pytest.mark.parametrize("workers", [0, 2])
def test_transformers_trainer_reads_the_exact_order_and_resumes_in_it(
    workspace: Path, tmp_path: Path, workers: int
) -> None:
    import transformers

    batch, steps = 4, 6
    read: list[list[int]] = []

    class Recorder(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            read.extend(inputs["shift_labels"].tolist())
            return super().compute_loss(model, inputs, *args, **kwargs)

    def run(until: int, resume: bool) -> list[list[int]]:
        read.clear()
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path),
            max_steps=until,
            per_device_train_batch_size=batch // 2,
            gradient_accumulation_steps=2,
            train_sampling_strategy="sequential",
            dataloader_num_workers=workers,
            remove_unused_columns=False,
            save_steps=2,
            report_to="none",
            use_cpu=True,
        )
        samples = packed(workspace, labels="both", stop=steps * batch, rank=0, world=1)
        Recorder(model=small_llama(workspace), args=arguments, train_dataset=samples).train(
            resume_from_checkpoint=resume
        )
        return list(read)

    expected = train_batches(workspace, 0, steps * batch)[:, 1:].tolist()
    assert run(4, resume=False) == expected[: 4 * batch]
    assert run(steps, resume=True) == expected[4 * batch :]


def example(heading: str) -> str:
    page = (ROOT / "docs" / "loaders.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def run_example(heading: str, folder: Path) -> str:
    """Run the example of the page, as it stands, beside a workspace; return what it prints."""
    if not (folder / "demo-workspace").exists():
        (folder / "demo-workspace").symlink_to(demo_workspace())
    script = folder / "example.py"
    script.write_text(example(heading), encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_in_plain_pytorch_trains_and_resumes(tmp_path: Path) -> None:
    printed = run_example("PyTorch", tmp_path).splitlines()
    losses = [float(line.rpartition(" ")[2]) for line in printed]
    assert len(printed) == 13
    assert losses[-2] < losses[0]
    assert run_example("PyTorch", tmp_path).splitlines() == printed[-1:]
    state = torch.load(tmp_path / "checkpoint.pt")
    assert state["done"] == 12


@NEEDS_ACCELERATE
def test_the_example_with_transformers_trainer_trains_and_resumes(tmp_path: Path) -> None:
    printed = run_example("transformers", tmp_path)
    assert len(re.findall(r"'loss': ", printed)) == 6
    last = printed.splitlines()[-1]
    assert last.startswith("validation: ")
    assert run_example("transformers", tmp_path).splitlines()[-1] == last
