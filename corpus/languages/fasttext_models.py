"""Load fastText models once a process, predict with them, train them. The only module that imports fasttext.

The modules `fasttext` of fasttext-community (which trains) and fasttext-predict (which does not) have the same
name: installing the latter later hides the former.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from typing import Any

from corpus.errors import UserError
from corpus.storage import exists, is_remote, local_path, open_input, sha256

LABEL_PREFIX = "__label__"
DEFAULT_LABEL_COUNT = 10
"""Labels that `predict` returns by default."""


def read(path: str) -> Any:
    """Load the model at a path or URL. Raises UserError where there is none."""
    import fasttext

    if not exists(path):
        raise UserError(f"no fastText model at {path}")
    copy = _download(path) if is_remote(path) else None
    try:
        return fasttext.load_model(copy or local_path(path)).f
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{path} is not a fastText model: {error}") from None
    finally:
        if copy is not None:
            os.unlink(copy)


load = cache(read)
"""`read`, once a process and path."""


def _download(path: str) -> str:
    with open_input(path) as stream, tempfile.NamedTemporaryFile(suffix=".bin", delete=False) as output:
        while block := stream.read(1 << 20):
            output.write(block)
    return output.name


@cache
def file_hash(path: str) -> str:
    """Return the SHA-256 of a model, computed once a process. Raises UserError where there is none."""
    if not exists(path):
        raise UserError(f"no fastText model at {path}")
    return sha256(path)


@cache
def label_names(path: str) -> tuple[str, ...]:
    """Return the labels of a model, without `__label__`."""
    labels, _ = load(path).getLabels("replace")
    return tuple(label.removeprefix(LABEL_PREFIX) for label in labels)


def ask(model: Any, line: str, top: int = DEFAULT_LABEL_COUNT) -> list[tuple[str, float]]:
    """Return (label without `__label__`, probability) of one line by a model, the most probable first."""
    predictions: Sequence[tuple[float, str]] = model.predict(line + "\n", top, 0.0, "replace")
    return [(label.removeprefix(LABEL_PREFIX), min(probability, 1.0)) for probability, label in predictions]


def predict(path: str, line: str, top: int = DEFAULT_LABEL_COUNT) -> list[tuple[str, float]]:
    """Return `ask` of the model at a path, loaded when first used."""
    return ask(load(path), line, top)


def train(lines: str, to: str, seed: int, **options: Any) -> None:
    """Train a supervised model from a local file of labelled lines and save it as the local file `to`.

    One thread: the same lines, seed and options give the same bytes. Raises UserError where the fasttext
    installed cannot train.
    """
    import fasttext

    if not hasattr(fasttext, "train_supervised"):
        raise UserError(
            "the module fasttext cannot train (fasttext-predict hides it): "
            "run `pip install --force-reinstall --no-deps fasttext-community`"
        )
    fasttext.train_supervised(input=lines, seed=seed, thread=1, verbose=0, **options).save_model(to)


def version() -> str:
    return metadata.version("fasttext-community")
