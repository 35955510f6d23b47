"""The exported model is the trained one: transformers gives its logits and its tokens."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from rich.console import Console

from corpus.errors import UserError
from corpus.inference.generate import Writer
from corpus.inference.run import TrainedModel
from corpus.inference.transformers_export import export_model
from corpus.trainer import loop
from tests.trainer.sentences import SENTENCES, small_run

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["tied", "untied"])
def run(request: pytest.FixtureRequest, workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = small_run(workspace, steps=12)
    config = dataclasses.replace(
        config, model=dataclasses.replace(config.model, tied=request.param == "tied", context=48)
    )
    folder = tmp_path_factory.mktemp(request.param) / "run"
    loop.train(config, folder, device="cpu", console=Console(quiet=True))
    return folder


def test_transformers_gives_the_same_logits_and_tokens(run: Path, tmp_path: Path) -> None:
    assert export_model(run, tmp_path / "hf", print) == 12
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf", local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf", local_files_only=True)
    assert type(model).__name__ == "Qwen3ForCausalLM"
    writer = Writer(TrainedModel(run, torch.device("cpu"), print))
    for sentences in SENTENCES.values():
        ids = writer.tokenizer.encode(sentences[0]).ids
        assert tokenizer(sentences[0])["input_ids"] == ids
        assert tokenizer.decode(ids) == sentences[0]
        tokens = torch.tensor([[writer.config.end_of_text, *ids][:48]])
        with torch.no_grad():
            ours, theirs = writer.model.logits(tokens), model(tokens).logits
        assert (ours - theirs).abs().max() < 1e-5 * ours.abs().max()


def test_a_folder_that_is_there_is_not_written_over(run: Path, tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="hf already exists: name a new folder"):
        export_model(run, tmp_path / "hf", print)
    with pytest.raises(UserError, match="available steps: 12"):
        export_model(run, tmp_path / "other", print, step=5)
