"""Export a run's model as a Hugging Face checkpoint: Qwen3's configuration, safetensors and tokenizer.

Joint matrices (queries, keys and values; gate and up) are split; nothing else changes, so `transformers` computes the
same logits. Runs trained with --mask-documents are exported the same way: the mask belongs to training, not to the
model.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from corpus.errors import UserError
from corpus.inference.run import read_checkpoint
from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.start import read_run_config
from corpus.trainer.tensors import write_tensors

TRANSFORMERS_NAMES = {
    "attention_norm.weight": "input_layernorm.weight",
    "attention.q_norm.weight": "self_attn.q_norm.weight",
    "attention.k_norm.weight": "self_attn.k_norm.weight",
    "attention.out.weight": "self_attn.o_proj.weight",
    "mlp_norm.weight": "post_attention_layernorm.weight",
    "mlp.down.weight": "mlp.down_proj.weight",
}
"""Names of a block's tensors that keep their shape: ours and transformers'."""


def export_model(run: Path, out: Path, damaged: Callable[[str], None], *, step: int | None = None) -> int:
    """Write the last checkpoint of `run`, or that of `step`, into the new folder `out`; return its step.

    Weights stay fp32. Raises UserError if `out` exists and is not empty, or if the run has no such checkpoint.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} already exists: name a new folder")
    config = read_run_config(run)
    saved = read_checkpoint(run, config, damaged, step)
    temporary = out.with_name(f".{out.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    tensors = convert_tensors(saved.model, config.model)
    write_tensors(temporary / "model.safetensors", tensors, metadata={"format": "pt"})
    shutil.copyfile(run / "tokenizer.json", temporary / "tokenizer.json")
    end = _find_end_of_text(run / "tokenizer.json", config.end_of_text)
    for name, content in (
        ("config.json", make_model_config(config)),
        ("generation_config.json", {"bos_token_id": config.end_of_text, "eos_token_id": config.end_of_text}),
        ("tokenizer_config.json", make_tokenizer_config(config.model, end)),
    ):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (temporary / name).write_text(text + "\n", encoding="utf-8")
    if out.exists():
        out.rmdir()
    os.rename(temporary, out)
    return saved.step


def convert_tensors(tensors: dict[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    """Return our tensors under transformers' names, the joint matrices split."""
    out = {
        "model.embed_tokens.weight": tensors["embedding.weight"],
        "model.norm.weight": tensors["norm.weight"],
    }
    if not config.tied:
        out["lm_head.weight"] = tensors["output.weight"]
    kv = config.kv_heads * config.head_width
    for layer in range(config.depth):
        ours, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        for name, other in TRANSFORMERS_NAMES.items():
            out[theirs + other] = tensors[ours + name]
        joint = torch.split(
            tensors[ours + "attention.qkv.weight"], [config.heads * config.head_width, kv, kv]
        )
        for letter, part in zip("qkv", joint, strict=True):
            out[f"{theirs}self_attn.{letter}_proj.weight"] = part
        for name, part in zip(("gate", "up"), tensors[ours + "mlp.gate_up.weight"].chunk(2), strict=True):
            out[f"{theirs}mlp.{name}_proj.weight"] = part
    return out


def make_model_config(config: RunConfig) -> dict[str, Any]:
    """Return the content of config.json as Qwen3ForCausalLM reads it."""
    model = config.model
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": model.vocabulary,
        "max_position_embeddings": model.context,
        "num_hidden_layers": model.depth,
        "hidden_size": model.width,
        "intermediate_size": model.hidden,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_width,
        "hidden_act": "silu",
        "rms_norm_eps": model.norm_epsilon,
        "rope_theta": model.rope_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_base},
        "attention_bias": False,
        "attention_dropout": 0.0,
        "use_sliding_window": False,
        "tie_word_embeddings": model.tied,
        "bos_token_id": config.end_of_text,
        "eos_token_id": config.end_of_text,
        "dtype": "float32",
    }


def make_tokenizer_config(model: ModelConfig, end: str) -> dict[str, Any]:
    """Return the content of tokenizer_config.json; the end-of-text is also the token before a document's beginning."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.context,
        "bos_token": end,
        "eos_token": end,
        "clean_up_tokenization_spaces": False,
    }


def _find_end_of_text(tokenizer: Path, number: int) -> str:
    content = json.loads(tokenizer.read_text(encoding="utf-8"))
    for token in content.get("added_tokens", []):
        if token["id"] == number:
            return str(token["content"])
    for token, token_id in content["model"]["vocab"].items():
        if token_id == number:
            return str(token)
    raise UserError(f"{tokenizer} has no token {number}: copy it from the workspace's tokenizer/ folder")
