"""`corpus card`: what it says is what is in the export and in the ledger, and what it names can be loaded."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import corpus
from corpus import __version__
from corpus.errors import RunError, UserError
from corpus.export import target
from corpus.export.croissant import CROISSANT_CONTEXT
from corpus.export.documents import export_documents
from corpus.export.hub_card import write_card
from corpus.export.hub_names import (
    ISO_639_1,
    name_configuration,
    name_hub_language,
    name_hub_license,
    name_size,
)
from corpus.export.shard_plan import DocumentSelection
from corpus.languages.labels import labels
from corpus.languages.names import normalize_label
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.card import card
from corpus.pipelines.cli.export import export
from corpus.pipelines.cli.stats import stats
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


@pytest.fixture(scope="module")
def folder(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with its card, which tests read and do not change."""
    out = tmp_path_factory.mktemp("card") / "out"
    run(
        export,
        workspace.root,
        "--documents",
        "--format",
        "parquet",
        "--shard-size",
        "20kB",
        "--out",
        str(out),
    )
    run(card, str(out))
    return out


def split_readme(folder: Path) -> tuple[dict[str, Any], str]:
    _, head, body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head), body


def read_table(body: str, first: str) -> list[dict[str, str]]:
    """The rows of the table whose head begins with a cell."""
    lines = body.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |"))
    head = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        rows.append(dict(zip(head, cells, strict=True)))
    return rows


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_figures_are_those_of_the_files_and_of_the_ledger(workspace: Workspace, folder: Path) -> None:
    head, body = split_readme(folder)
    rows = [row for path in folder.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    ledger = json.loads(run(stats, workspace.root, "--json", "--by", "source,language,rule,gate,duplicate"))
    total = sum(row["tokens"] for row in ledger["source"])
    assert f"{len(rows):,} documents" in body and f"{total:,} tokens" in body
    languages = Counter(row["language"] for row in rows)
    tokens = {row["language"]: row["tokens"] for row in ledger["language"]}
    for row in read_table(body, "configuration"):
        chosen = (
            list(languages) if row["languages"] == "all" else row["languages"].replace("`", "").split(", ")
        )
        assert number(row["train"]) + number(row["validation"]) == sum(languages[label] for label in chosen)
        assert number(row["tokens"]) == sum(tokens[label] for label in chosen)
    by_source = {row["source"]: row for row in ledger["source"]}
    sources = read_table(body, "source")
    assert {row["source"]: (row["kind"], number(row["here"])) for row in sources} == {
        "web": ("warc", sum(row["source"] == "web" for row in rows)),
        "wikipedia": ("wikipedia", sum(row["source"] == "wikipedia" for row in rows)),
    }
    for row in sources:
        of_ledger = by_source[row["source"]]
        assert [
            number(row[name]) for name in ("read", "stopped", "failed rules", "duplicates", "kept", "tokens")
        ] == [of_ledger[name] for name in ("read", "gated", "rules", "duplicate", "kept", "tokens")]
    licenses = Counter((row["source"], row["license"] or "not stated") for row in rows)
    assert {
        (row["source"], row["licence"]): number(row["documents"]) for row in read_table(body, "licence")
    } == licenses
    rules = {
        row["rule"]: (number(row["failed"]), number(row["this alone"])) for row in read_table(body, "rule")
    }
    assert rules == {
        row["rule"]: (row["failed"], row["failed_only"]) for row in ledger["rule"] if row["failed"]
    }
    for name, first in (("duplicate", "duplicate"), ("gate", "reason")):
        column = "documents" if name == "duplicate" else "records"
        assert {row[first]: number(row[column]) for row in read_table(body, first)} == {
            row[name]: row["documents"] for row in ledger[name]
        }
    described = json.loads((folder / "export.json").read_text())
    assert described["documents"] == len(rows) and described["corpus"] == __version__
    assert f"corpusmill {__version__}" in body and described["build"]["manifest_sha256"] in body
    assert head["size_categories"] == ["n<1K"] and head["task_categories"] == ["text-generation"]


def test_the_head_has_what_the_hub_filters_by(folder: Path) -> None:
    head, _ = split_readme(folder)
    assert head["pretty_name"] == "demo" and head["multilinguality"] == ["multilingual"]
    assert set(head["language"]) >= {"en", "zh", "ja", "th", "ar", "hi", "ru", "sw", "id"}
    assert set(head["license"]) == {"unknown", "cc-by-sa-4.0"}
    configs = {each["config_name"]: each["data_files"] for each in head["configs"]}
    assert configs["default"] == [
        {"split": "train", "path": ["train/*/*.parquet"]},
        {"split": "validation", "path": ["valid/*/*.parquet"]},
    ]
    assert configs["cmn"][0]["path"] == ["train/cmn_Hans/*.parquet", "train/cmn_Hant/*.parquet"]
    assert (
        set(configs) >= {"cmn", "cmn_Hans", "cmn_Hant", "jpn", "tha", "arb", "eng"}
        and "jpn_Jpan" not in configs
    )
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "&id" not in text and str(folder) not in text
    assert len(list((folder / "train/eng_Latn").iterdir())) > 5


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_datasets_loads_all_and_each_language_by_the_card(
    workspace: Workspace, folder: Path, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    if format != "parquet":
        folder = tmp_path / "out"
        run(export, workspace.root, "--documents", "--shard-size", "20kB", "--out", str(folder))
        run(card, str(folder))
    described = json.loads((folder / "export.json").read_text())
    head, _ = split_readme(folder)
    cache = str(tmp_path / "cache")
    everything = datasets.load_dataset(str(folder), cache_dir=cache)
    sizes = {row["split"]: row["documents"] for row in described["splits"]}
    assert {name: len(rows) for name, rows in everything.items()} == {
        "train": sizes["train"],
        "validation": sizes["valid"],
    }
    names = datasets.get_dataset_config_names(str(folder))
    assert names == [each["config_name"] for each in head["configs"]]
    for name, wanted in (
        ("cmn", {"cmn_Hans", "cmn_Hant"}),
        ("cmn_Hant", {"cmn_Hant"}),
        ("tha", {"tha_Thai"}),
    ):
        rows = datasets.load_dataset(str(folder), name, split="train", cache_dir=cache)
        assert set(rows["language"]) == wanted
        assert rows.features == everything["train"].features
        expected = [
            row for row in described["languages"] if row["language"] in wanted and row["split"] == "train"
        ]
        assert len(rows) == sum(row["documents"] for row in expected)


def test_every_configuration_of_two_sources_in_three_languages_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    texts = {
        "news": [("cmn_Hans", "河流在春天上涨，人们在岸边散步。"), ("tha_Thai", "แม่น้ำสายนี้ไหลผ่านเมืองเก่า")],
        "posts": [
            ("cmn_Hant", "河流在春天上漲，人們在岸邊散步。"),
            ("jpn_Jpan", "川は春になると水かさが増える。"),
        ],
    }
    manifest = ["name: two", "sources:"]
    for at, (source, rows) in enumerate(texts.items()):
        lines = [
            json.dumps({"text": f"{number} {text}", "language": label, "extra": {source: number}})
            for label, text in rows
            for number in range(12)
        ]
        (tmp_path / f"{at}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        manifest.append(
            f"  {source}: {{kind: jsonl, paths: [{at}.jsonl], rules: [], fields: {{language: language}}}}"
        )
    manifest += ["dedup: {minhash: off}", "validation: {share: 0.2}", "tokenizer: {vocabulary: 300}", ""]
    (tmp_path / "m.yaml").write_text("\n".join(manifest), encoding="utf-8")
    build_workspace(str(tmp_path / "m.yaml"), str(tmp_path / "w"), Running(workers=1))
    for format in ("parquet", "jsonl.zst"):
        folder = tmp_path / format
        export_documents(corpus.open(str(tmp_path / "w")), str(folder), format)
        write_card(str(folder))
        head, _ = split_readme(folder)
        described = {each["config_name"]: each["splits"] for each in head["dataset_info"]}
        assert set(described) == {"default", "cmn", "cmn_Hans", "cmn_Hant", "jpn", "tha"}
        schemas = set()
        for name, splits in described.items():
            loaded = datasets.load_dataset(str(folder), name, cache_dir=str(tmp_path / "cache" / format))
            counted = {split: len(rows) for split, rows in loaded.items()}
            assert counted == {split["name"]: split["num_examples"] for split in splits}
            schemas.add(str(loaded["train"].features))
            if name != "default":
                labels_there = {label for rows in loaded.values() for label in rows["language"]}
                assert all(label == name or label.startswith(f"{name}_") for label in labels_there)
        assert len(schemas) == 1


def test_the_lines_for_datasets_in_the_documentation_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    page = (Path(__file__).parents[2] / "docs/exports.md").read_text(encoding="utf-8")
    block = next(
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "load_dataset" in block
    )
    (tmp_path / "demo-text").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block, names)
    assert names["everything"].num_rows == names["same"].num_rows
    assert next(iter(names["chinese"]))["language"].startswith("cmn_")


def test_croissant_names_files_that_are_there_and_their_columns(folder: Path) -> None:
    content = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert content["@context"] == CROISSANT_CONTEXT
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert content["license"] == ["CC-BY-SA-4.0"] and "zh" in content["inLanguage"]
    file_sets = {each["@id"]: each for each in content["distribution"]}
    for each in file_sets.values():
        assert each["@type"] == "cr:FileSet" and each["encodingFormat"] == "application/x-parquet"
        assert all(list(folder.glob(pattern)) for pattern in each["includes"])
    columns = pq.read_schema(next(folder.rglob("*.parquet"))).names
    assert {each["@id"] for each in content["recordSet"]} == {
        name.removesuffix("-files") for name in file_sets
    }
    for each in content["recordSet"]:
        assert [field["@id"] for field in each["field"]] == [
            f"{each['@id']}/{name}" for name in ("split", *columns)
        ]
        assert {field["source"]["fileSet"]["@id"] for field in each["field"]} == {f"{each['@id']}-files"}


def test_mlcroissant_accepts_the_metadata_and_loads_the_records(folder: Path) -> None:
    mlcroissant = pytest.importorskip(
        "mlcroissant", reason="a dependency of it is no wheel: see docs/exports.md"
    )
    loaded = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    rows = list(loaded.records("cmn"))
    expected = pq.read_table(folder / "train/cmn_Hant")["id"].to_pylist()
    assert {row["cmn/id"].decode() for row in rows} >= set(expected)
    assert {row["cmn/split"] for row in rows} == {b"train", b"valid"}


def test_a_card_is_made_again_and_goes_with_its_export(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_documents(workspace, str(out), "parquet", DocumentSelection(language="cmn", sides=("train",)))
    write_card(str(out))
    first = (out / "README.md").read_bytes()
    assert "This is a part of the build: language `cmn`, split `train`." in first.decode()
    assert "multilinguality:\n- monolingual" in first.decode() and "language:\n- zh\n" in first.decode()
    write_card(str(out), "汉语 | *demo* <b>", "https://corpus.example/demo")
    again = (out / "README.md").read_text(encoding="utf-8")
    assert split_readme(out)[0]["pretty_name"] == "汉语 | *demo* <b>"
    assert "\n# 汉语 \\| \\*demo\\* &lt;b>\n" in again
    assert json.loads((out / "croissant.json").read_text())["url"] == "https://corpus.example/demo"
    write_card(str(out))
    assert (out / "README.md").read_bytes() == first
    export_documents(workspace, str(out), "parquet", DocumentSelection(language="tha"))
    assert not (out / "README.md").exists() and not (out / "croissant.json").exists()


def test_an_interrupted_card_can_be_made_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export_documents(workspace, str(out), "parquet", DocumentSelection(language="tha"))
    write_card(str(out), "one")
    write, written = target.storage.write_bytes, []

    def write_one(path: str, content: bytes) -> None:
        if written:
            raise OSError("no space left on device")
        written.append(path)
        write(path, content)

    monkeypatch.setattr(target.storage, "write_bytes", write_one)
    with pytest.raises(OSError, match="no space left"):
        write_card(str(out), "two")
    monkeypatch.undo()
    write_card(str(out), "two")
    assert (
        split_readme(out)[0]["pretty_name"]
        == json.loads((out / "croissant.json").read_text())["name"]
        == "two"
    )


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_what_somebody_wrote_is_left_alone(folder: Path, tmp_path: Path, name: str) -> None:
    for edit in (True, False):
        out = tmp_path / str(edit)
        shutil.copytree(folder, out)
        if not edit:
            described = json.loads((out / "export.json").read_text())
            (out / "export.json").write_text(json.dumps({**described, "card": {}}))
        path = out / name
        path.write_text(path.read_text(encoding="utf-8") + "\nmine", encoding="utf-8")
        before = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
        with pytest.raises(UserError, match="is not as `corpus card` wrote it"):
            write_card(str(out))
        assert {path: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_what_has_no_card_is_told_in_a_line(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    for place, message in (
        (workspace.root, "is a workspace, not an export: `corpus export DIR --documents"),
        (str(tmp_path), "is not an export: `corpus export"),
    ):
        with pytest.raises(UserError, match=message):
            run(card, place)
    run(export, workspace.root, "--bin", "--out", str(tmp_path / "bin"))
    with pytest.raises(UserError, match="is not an export of documents"):
        run(card, str(tmp_path / "bin"))
    (tmp_path / "half").mkdir()
    (tmp_path / "half/export.unfinished.json").write_text('{"files": []}')
    with pytest.raises(UserError, match="is an unfinished export: run its `corpus export` again"):
        run(card, str(tmp_path / "half"))
    shutil.copytree(folder, tmp_path / "copy")
    one, *_ = sorted((tmp_path / "copy/train/eng_Latn").iterdir())
    shutil.copy(sorted((tmp_path / "copy/train/tha_Thai").iterdir())[-1], one)
    with pytest.raises(RunError, match=r"has [\d,]+ rows, export.json says"):
        run(card, str(tmp_path / "copy"))
    one.write_bytes(b"PAR1")
    with pytest.raises(RunError, match="cannot be read"):
        run(card, str(tmp_path / "copy"))
    one.unlink()
    with pytest.raises(RunError, match="is missing: run `corpus export` again"):
        run(card, str(tmp_path / "copy"))


def test_an_export_of_an_unfinished_build_has_no_card(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.root, tmp_path / "made")
    state = json.loads((tmp_path / "made/state.json").read_text())
    (tmp_path / "made/state.json").write_text(
        json.dumps({key: state[key] for key in state if key != "build"})
    )
    export_documents(corpus.open(str(tmp_path / "made")), str(tmp_path / "out"), "parquet")
    with pytest.raises(UserError, match="has no figures of its build: finish it with `corpus build`"):
        write_card(str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("label", "hub", "configuration"),
    [
        ("cmn_Hans", "zh", "cmn"),
        ("yue_Hant", "yue", "yue"),
        ("arb_Arab", "ar", "arb"),
        ("eng_Latn", "en", "eng"),
        ("tha_Thai", "th", "tha"),
        ("nob_Latn", "nb", "nob"),
        ("nno_Latn", "nn", "nno"),
        ("fas_Arab", "fa", "fas"),
        ("swh_Latn", "sw", "swh"),
        ("khk_Cyrl", "mn", "khk"),
        ("fil_Latn", "tl", "fil"),
        ("heb_Hebr", "he", "heb"),
        ("ind_Latn", "id", "ind"),
        ("sat_Olck", "sat", "sat"),
        ("gsw_Latn", "gsw", "gsw"),
        ("code_python", "code", "code"),
        ("und_Zyyy", None, "und"),
    ],
)
def test_languages_have_the_names_of_the_hub(label: str, hub: str | None, configuration: str) -> None:
    assert (name_hub_language(label), name_configuration(label)) == (hub, configuration)


def test_names_of_the_hub_are_codes_of_iso_639() -> None:
    assert len(ISO_639_1) == len(set(ISO_639_1)) == 182
    for code in labels().languages:
        name = name_hub_language(code)
        assert name is None or name in ISO_639_1 or re.fullmatch("[a-z]{3}", name), code


def test_configurations_have_the_names_that_manifests_and_options_take() -> None:
    for code in labels().languages:
        assert normalize_label(name_configuration(code)) == code
    assert normalize_label(name_configuration("code_python")) == "code"


@pytest.mark.parametrize(
    ("license", "hub"),
    [
        ("CC-BY-SA-4.0", "cc-by-sa-4.0"),
        ("MIT", "mit"),
        ("Apache-2.0", "apache-2.0"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("ODC-By-1.0", "odc-by"),
        ("CC-BY-NC-ND-3.0-DE", "other"),
        ("MIT OR Apache-2.0", "other"),
        (None, "unknown"),
    ],
)
def test_licences_have_the_names_of_the_hub(license: str | None, hub: str) -> None:
    assert name_hub_license(license) == hub


def test_sizes_have_the_names_of_the_hub() -> None:
    sizes = [0, 999, 1000, 9_999, 123_456, 10**6, 5 * 10**8, 10**9, 10**12 - 1, 10**12]
    assert [name_size(documents) for documents in sizes] == [
        "n<1K", "n<1K", "1K<n<10K", "1K<n<10K", "100K<n<1M", "1M<n<10M", "100M<n<1B", "1B<n<10B", "100B<n<1T", "n>1T",
    ]  # fmt: skip
