"""Configurations of an export: what `datasets` and Croissant load by a name, all documents or those of a language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corpus.export.hub_names import name_configuration
from corpus.export.shard_plan import name_folder

HUB_SPLITS = {"train": "train", "valid": "validation"}
"""Our splits, and what the hub calls them."""
DEFAULT_CONFIGURATION = "default"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration of the card: the files of some labels, by split."""

    name: str
    labels: tuple[str, ...]
    patterns: dict[str, list[str]]
    """Split -> patterns of its files, below the export."""
    documents: dict[str, int]
    bytes: dict[str, int]
    """Split -> bytes of text."""


def list_configurations(description: dict[str, Any]) -> list[Configuration]:
    """Return the configurations: all documents, each language, and each script of languages with several."""
    labels_of_names: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for row in description["languages"]:
        sizes[row["language"]] += row["bytes"]
    for label in sorted(sizes, key=lambda label: (-sizes[label], label)):
        labels_of_names[name_configuration(label)].append(label)
    ordered = sorted(labels_of_names, key=lambda name: -sum(sizes[label] for label in labels_of_names[name]))
    chosen = {DEFAULT_CONFIGURATION: list(sizes), **{name: labels_of_names[name] for name in ordered}}
    chosen |= {
        name_folder(label): [label]
        for labels in labels_of_names.values()
        if len(labels) > 1
        for label in labels
    }
    return [_make_configuration(description, name, labels) for name, labels in chosen.items()]


def _make_configuration(description: dict[str, Any], name: str, labels: Sequence[str]) -> Configuration:
    patterns: dict[str, list[str]] = defaultdict(list)
    documents: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = defaultdict(int)
    chosen = set(labels)
    for path, file in description["files"].items():
        if file["language"] in chosen:
            split, folder, _ = path.split("/")
            documents[split] += file["documents"]
            sizes[split] += file["bytes"]
            pattern = f"{split}/{'*' if name == DEFAULT_CONFIGURATION else folder}/*.{description['format']}"
            if pattern not in patterns[split]:
                patterns[split].append(pattern)
    ordered = [split for split in HUB_SPLITS if split in patterns]
    return Configuration(
        name,
        tuple(labels),
        {split: patterns[split] for split in ordered},
        {split: documents[split] for split in ordered},
        {split: sizes[split] for split in ordered},
    )
