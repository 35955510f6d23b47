"""The card of an export of documents: README.md, whose head the Hugging Face hub and `datasets` read.

All figures come from export.json, that is from the documents in the export and from the ledger of their build.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.export.configurations import DEFAULT_CONFIGURATION, HUB_SPLITS, Configuration, list_configurations
from corpus.export.croissant import build_croissant
from corpus.export.file_writers import EXPORT_SCHEMA
from corpus.export.hub_names import name_configuration, name_hub_language, name_hub_license, name_size
from corpus.export.target import read_description, write_card_files
from corpus.inspect.readable import format_size, make_printable

MAX_LICENSES = 40
"""Rows of the table of licences; the others are summed up."""
COLUMN_MEANINGS = {
    "id": "a hash of the source and of the record's own name, the same in every build",
    "text": "the text",
    "source": "the source, see below",
    "language": "language and script: `tha_Thai`",
    "url": "the page or record, if it has an address",
    "date": "when it was captured, written or changed, in ISO 8601",
    "snapshot": "the crawl or dump that it comes from",
    "license": "the licence that the record or its source states, as SPDX names it",
    "metadata": "a JSON object: what else the source knows",
}


class _PlainDumper(yaml.SafeDumper):
    """Writes equal parts again and again: not every reader of a card knows YAML's references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_card(folder: str, name: str | None = None, url: str | None = None) -> dict[str, Any]:
    """Write README.md and croissant.json beside an export of documents; return what they hold, in numbers.

    `name` is for people, by default the manifest's; `url` is where the data is published. Raises UserError for another
    folder and for card files that were edited, RunError if files of the export are missing or not what they were.
    """
    folder = storage.local_path(folder).rstrip("/")
    description = read_description(folder)
    if description["export"] != "documents":
        raise UserError(f"{folder} is not an export of documents: `corpus export DIR --documents` makes one")
    if "build" not in description or description["build"] is None:
        raise UserError(
            f"{folder} has no figures of its build: finish it with `corpus build`, then run `corpus export` again"
        )
    check_files(folder, description)
    name = name or description["build"]["name"]
    configurations = list_configurations(description)
    croissant = build_croissant(description, configurations, name, url, summarize(description))
    readme = build_readme(description, configurations, name)
    write_card_files(folder, {"README.md": readme.encode(), "croissant.json": croissant.encode()})
    return {
        "name": name,
        "configurations": [each.name for each in configurations],
        **{key: description[key] for key in ("documents", "bytes")},
        "records": description["format"] == "parquet",
    }


def check_files(folder: str, description: dict[str, Any]) -> None:
    """Raise RunError if a file of an export is missing, or has other rows than export.json says (Parquet)."""
    for name, file in description["files"].items():
        path = storage.join(folder, name)
        if not storage.exists(path):
            raise RunError(f"{path} is missing: run `corpus export` again")
        if not name.endswith(".parquet"):
            continue
        with storage.open_input(path) as stream:
            try:
                rows = pq.read_metadata(stream).num_rows
            except pa.ArrowInvalid as error:
                raise RunError(
                    f"{path} cannot be read ({str(error).splitlines()[0]}): run `corpus export` again"
                ) from None
        if rows != file["documents"]:
            raise RunError(
                f"{path} has {rows:,} rows, export.json says {file['documents']:,}: run `corpus export` again"
            )


def build_readme(description: dict[str, Any], configurations: list[Configuration], name: str) -> str:
    """Return the whole README.md: head and text."""
    head = yaml.dump(
        build_head(description, configurations, name),
        Dumper=_PlainDumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
    )
    sections = [
        f"# {_escape(name)}\n\n{summarize(description)}",
        _write_loading(description, configurations),
        _write_languages(description, configurations),
        _write_columns(description),
        _write_sources(description),
        _write_licenses(description),
        _write_rules(description["build"]),
        _write_origin(description),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def build_head(description: dict[str, Any], configurations: list[Configuration], name: str) -> dict[str, Any]:
    """Return the head of the card: what the hub filters by, and the configurations of `datasets`."""
    labels = configurations[0].labels
    languages = sorted({code for label in labels if (code := name_hub_language(label)) is not None})
    licenses = list(dict.fromkeys(name_hub_license(row["license"]) for row in description["licenses"]))
    features = [{"name": column, "dtype": "string"} for column in EXPORT_SCHEMA.names]
    return {
        "pretty_name": name,
        **({"language": languages} if languages else {}),
        "license": licenses,
        "multilinguality": ["multilingual" if len(languages) > 1 else "monolingual"],
        "size_categories": [name_size(description["documents"])],
        "task_categories": ["text-generation"],
        "task_ids": ["language-modeling"],
        "tags": ["pretraining", "corpusmill"],
        "configs": [
            {
                "config_name": each.name,
                "data_files": [
                    {"split": HUB_SPLITS[split], "path": patterns}
                    for split, patterns in each.patterns.items()
                ],
            }
            for each in configurations
        ],
        "dataset_info": [
            {
                "config_name": each.name,
                "features": features,
                "splits": [
                    {"name": HUB_SPLITS[split], "num_bytes": each.bytes[split], "num_examples": count}
                    for split, count in each.documents.items()
                ],
            }
            for each in configurations
        ],
    }


def summarize(description: dict[str, Any]) -> str:
    """Return what the export is, in a sentence or two."""
    labels = {row["language"] for row in description["languages"]}
    tokens = _sum_tokens(description["splits"])
    parts = [f"{description['documents']:,} documents, {format_size(description['bytes'])} of text"]
    if tokens is not None:
        parts.append(f"{tokens:,} tokens")
    codes = {name_configuration(label) for label in labels}
    where = f"in {len(codes):,} languages" if len(codes) > 1 else f"in `{next(iter(labels))}`"
    kinds = sorted({entry["kind"] for entry in description["build"]["sources"].values()})
    names = ", ".join(f"`{kind}`" for kind in kinds)
    text = (
        f"A corpus for training language models: {', '.join(parts)} {where}, from sources of the kind {names}, "
        f"filtered by rules and {_describe_deduplication(description['build']['deduplication'])}."
    )
    chosen = description["selected"]
    limits = [f"{key} `{chosen[key]}`" for key in ("source", "language") if chosen[key]]
    if len(chosen["splits"]) == 1:
        limits.append(f"split `{chosen['splits'][0]}`")
    return text + (f" This is a part of the build: {', '.join(limits)}." if limits else "")


def _describe_deduplication(levels: list[str]) -> str:
    if not levels:
        return "not deduplicated"
    return "without duplicates and near duplicates" if "minhash" in levels else "without exact duplicates"


def _sum_tokens(rows: Iterable[dict[str, Any]]) -> int | None:
    total = 0
    for row in rows:
        if row.get("tokens") is None:
            return None
        total += row["tokens"]
    return total


def _write_loading(description: dict[str, Any], configurations: list[Configuration]) -> str:
    example = configurations[1].name
    split = HUB_SPLITS[next(iter(configurations[1].documents))]
    format = description["format"]
    kind = "Parquet" if format == "parquet" else "JSON Lines compressed with zstd"
    globs = f"PATH/*/*/*.{format}"
    reader = f"read_parquet('{globs}')" if format == "parquet" else f"read_json('{globs}')"
    needed = "datasets" if format == "parquet" else "datasets zstandard"
    return (
        f"## How to load it\n\n`pip install {needed}`, then:\n\n"
        "```python\nfrom datasets import load_dataset\n\n"
        "# PATH: this folder, or the name of its repository on the hub\n"
        f'everything = load_dataset("PATH")\n'
        f'one_language = load_dataset("PATH", "{example}", split="{split}")\n```\n\n'
        f"The files are {kind}, for any other reader: "
        f"`SELECT language, count(*) FROM {reader} GROUP BY ALL` in DuckDB."
    )


def _write_languages(description: dict[str, Any], configurations: list[Configuration]) -> str:
    rows = []
    by_label = defaultdict(list)
    for row in description["languages"]:
        by_label[row["language"]].append(row)
    for each in configurations:
        entries = [row for label in each.labels for row in by_label[label]]
        tokens = _sum_tokens(entries)
        rows.append(
            [
                f"`{each.name}`",
                "all"
                if each.name == DEFAULT_CONFIGURATION
                else ", ".join(f"`{label}`" for label in each.labels),
                *(f"{each.documents.get(split, 0):,}" for split in HUB_SPLITS),
                format_size(sum(row["bytes"] for row in entries)),
                "unknown" if tokens is None else f"{tokens:,}",
            ]
        )
    head = ["configuration", "languages", *HUB_SPLITS.values(), "text", "tokens"]
    size = description["build"].get("vocabulary_size")
    note = (
        f"\n\nTokens are counted by the build's own tokenizer, with a vocabulary of {size:,}." if size else ""
    )
    return "## Configurations\n\n" + _make_table(head, rows, 2) + note


def _write_columns(description: dict[str, Any]) -> str:
    missing = "null" if description["format"] == "parquet" else 'the empty string (`""`)'
    rows = [[f"`{name}`", COLUMN_MEANINGS[name]] for name in EXPORT_SCHEMA.names]
    note = f"\n\nAll are strings. What is not known is {missing}."
    if description["format"] != "parquet":
        note += " Dates are in the basic form of ISO 8601, `20240131T235959Z`."
    return "## Columns\n\n" + _make_table(["column", "content"], rows, 2) + note


def _write_sources(description: dict[str, Any]) -> str:
    build = description["build"]
    exported = {row["source"]: row for row in description["sources"]}
    rows = []
    for row in build["outcomes"]:
        entry, there = build["sources"][row["source"]], exported.get(row["source"])
        numbers = [f"{row[name]:,}" for name in ("read", "gated", "rules", "duplicate", "kept")]
        size = [f"{there['documents']:,}", format_size(there["bytes"])] if there else ["0", "0 B"]
        tokens = (
            "unknown" if there and there.get("tokens") is None else f"{there['tokens'] if there else 0:,}"
        )
        rows.append([_code(row["source"]), _code(entry["kind"]), *numbers, *size, tokens])
    head = [
        "source",
        "kind",
        "read",
        "stopped",
        "failed rules",
        "duplicates",
        "kept",
        "here",
        "text",
        "tokens",
    ]
    return (
        "## Sources\n\nDocuments that were read, and what became of them: stopped before their text was measured (not "
        "a page, a redirect, empty), dropped by rules, dropped as duplicates, kept, and of these in this export.\n\n"
        + _make_table(head, rows, 2)
    )


def _write_licenses(description: dict[str, Any]) -> str:
    licenses = description["licenses"]
    rows = [
        [
            _code(row["license"]) if row["license"] else "not stated",
            _code(row["source"]),
            f"{row['documents']:,}",
            format_size(row["bytes"]),
        ]
        for row in licenses[:MAX_LICENSES]
    ]
    if others := licenses[MAX_LICENSES:]:
        documents, size = (sum(row[key] for row in others) for key in ("documents", "bytes"))
        rows.append([f"{len(others):,} others, see `export.json`", "", f"{documents:,}", format_size(size)])
    return (
        "## Licences\n\nAs each document or its source states it; nobody has checked them. Where none is stated, the "
        "text stays its author's.\n\n" + _make_table(["licence", "source", "documents", "text"], rows, 2)
    )


def _write_rules(build: dict[str, Any]) -> str:
    presets = [
        f"- {_code(source)}: {', '.join(map(_code, entry['rules'])) or 'none'}"
        for source, entry in build["sources"].items()
    ]
    parts = ["## What was dropped", "Sets of rules, by source:\n\n" + "\n".join(presets)]
    rules = [
        [_code(row["rule"]), f"{row['failed']:,}", f"{row['share']:.1%}", f"{row['failed_only']:,}"]
        for row in build["rules"]
        if row["failed"]
    ]
    if rules:
        parts.append(
            "Texts that failed a rule, of the texts that it applies to, and those that failed no other:\n\n"
            + _make_table(["rule", "failed", "share", "this alone"], rules, 1)
        )
    duplicates = [
        [_code(row["duplicate"]), f"{row['documents']:,}", format_size(row["bytes"])]
        for row in build["duplicates"]
    ]
    if duplicates:
        parts.append(
            "Duplicates that were dropped, by what they share with a document that was kept: the text (`exact`), the "
            "address (`url`), or most of the text (`minhash`):\n\n"
            + _make_table(["duplicate", "documents", "text"], duplicates, 1)
        )
    gates = [[_code(row["gate"]), f"{row['documents']:,}"] for row in build["gates"]]
    if gates:
        parts.append(
            "Records that were stopped before their text was measured:\n\n"
            + _make_table(["reason", "records"], gates, 1)
        )
    return "\n\n".join(parts)


def _write_origin(description: dict[str, Any]) -> str:
    build = description["build"]
    made_by = f"corpusmill {description['corpus']}" if description.get("corpus") else "corpusmill"
    chosen = description["selected"]
    options = [
        "--documents",
        f"--format {description['format']}",
        f"--shard-size {description['shard_size']}",
    ]
    options += [f"--{key} {chosen[key]}" for key in ("source", "language") if chosen[key]]
    if len(chosen["splits"]) == 1:
        options.append(f"--split {chosen['splits'][0]}")
    rows = [
        ["exported by", made_by],
        ["manifest", f"{_code(build['name'])}, SHA-256 `{build['manifest_sha256']}`"],
        ["build", f"fingerprint `{build['fingerprint']}`"],
        ["command", f"`corpus export DIR {' '.join(options)}`"],
        ["files", f"{len(description['files']):,}, each with its SHA-256 in `export.json`"],
    ]
    return "## How it was made\n\n" + _make_table(["", ""], rows, 2)


def _make_table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Return a table of Markdown, whose first columns are text and the others numbers, to the right."""
    rule = ["---" if at < left else "---:" for at in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _code(text: str) -> str:
    """Return a name as code in a table: nothing in it is markup."""
    plain = make_printable(text).replace("`", "'").replace("|", "\\|").replace("\n", " ")
    return f"`{plain}`"


def _escape(text: str) -> str:
    """Return a text without markup of Markdown or HTML."""
    plain = make_printable(text).replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|#" else character for character in plain)
