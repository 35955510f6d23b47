"""Validation holds out enough of every language, by a hash that files, folders and names of sources do not change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from corpus.document import content_hash, document_id
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.validation import (
    LanguageShare,
    Shares,
    Units,
    Validation,
    choose_shares,
    count_leaving,
    gather_units,
    hash_group,
    list_steps,
    merge_units,
    name_sides,
)
from corpus.workspace import Workspace

LABELS = ("tha_Thai", "cmn_Hans", "arb_Arab", "hin_Deva", "rus_Cyrl")


def make_documents(*rows: tuple[str, str | None, str]) -> pa.Table:
    """Documents of (language, group or None for none, text)."""
    ids = [document_id("web", f"{at} {text}") for at, (_, _, text) in enumerate(rows)]
    return pa.table(
        {
            "id": ids,
            "group": [group or id for id, (_, group, _) in zip(ids, rows, strict=True)],
            "content_hash": [content_hash(text) for _, _, text in rows],
            "language": pa.array([language for language, _, _ in rows], pa.string()),
        }
    )


def number_sites(label: str, sites: int, pages: int = 1) -> list[tuple[str, str | None, str]]:
    return [
        (label, f"{label}{site}.example", f"{label} {site} {page}")
        for site in range(sites)
        for page in range(pages)
    ]


def gather(documents: pa.Table, options: Validation | None = None) -> dict[str, Units]:
    return gather_units(documents, options or Validation(), np.zeros(documents.num_rows, np.bool_))


def count_held(documents: pa.Table, options: Validation) -> tuple[int, LanguageShare]:
    """Return the documents in validation, and the share of their one language."""
    (label,) = set(documents["language"].to_pylist())
    shares = choose_shares(gather(documents, options), options)
    return int(shares.choose(documents).sum()), shares.of(label)


def test_the_hash_of_a_group_never_changes() -> None:
    assert [hash_group(name) for name in ("example.org", "ไทย.example", "")] == [
        7079629723233791034,
        17525645982958740852,
        10490265170933701112,
    ]
    share = Shares(0.005, {})
    groups = [f"site{number}.example" for number in range(20_000)]
    documents = make_documents(*[("eng_Latn", group, group) for group in groups])
    held = share.choose(documents).tolist()
    assert held == [hash_group(group) < 0.005 * 2**64 for group in groups]
    assert 60 < sum(held) < 140


@pytest.mark.parametrize(
    ("sites", "held"), [(4, 0), (5, 1), (10, 1), (24, 2), (49, 4), (50, 5), (100, 5), (600, 5), (20_000, 70)]
)
def test_a_language_has_enough_whatever_its_size(sites: int, held: int) -> None:
    documents = make_documents(*number_sites("tha_Thai", sites))
    count, share = count_held(documents, Validation())
    assert held <= count <= max(0, 4 * held)
    assert share.by == ("content" if sites < 20 else "group")
    assert share.share in list_steps(0.005)
    assert (share.share == 0.005) == (sites in (4, 20_000))


def test_few_groups_are_divided_by_content_and_many_are_not() -> None:
    few = make_documents(*number_sites("hin_Deva", 3, 200))
    shares = choose_shares(gather(few), Validation())
    held = shares.choose(few)
    assert 5 <= held.sum() < 40
    assert len({group for group, out in zip(few["group"].to_pylist(), held, strict=True) if out}) > 1
    many = make_documents(*number_sites("hin_Deva", 40, 5))
    shares = choose_shares(gather(many), Validation())
    sides: dict[str, set[bool]] = {}
    for group, out in zip(many["group"].to_pylist(), shares.choose(many).tolist(), strict=True):
        sides.setdefault(group, set()).add(out)
    assert all(len(side) == 1 for side in sides.values())


def test_a_larger_share_only_adds_documents() -> None:
    documents = make_documents(
        *number_sites("arb_Arab", 3000), *[("arb_Arab", None, str(n)) for n in range(3000)]
    )
    before = np.zeros(6000, np.bool_)
    for step in list_steps(0.005):
        held = Shares(step, {}).choose(documents)
        assert (held | ~before).all()
        before = held
    assert before.all()


def test_parts_in_any_order_lead_to_the_same_shares() -> None:
    rows = [row for label in LABELS for row in number_sites(label, 30, 4)]
    rows += [("rus_Cyrl", None, f"файл {number}") for number in range(50)]
    options = Validation()
    whole = gather(make_documents(*rows), options)
    for order in (1, 7, 13):
        parts = [gather(make_documents(*rows[at::order]), options) for at in range(order)]
        merged = {
            label: merge_units([Units.unpack(part[label].pack()) for part in parts if label in part], options)
            for label in whole
        }
        assert choose_shares(merged, options) == choose_shares(whole, options)


def test_shares_are_pinned_by_label_or_language_and_by_none() -> None:
    documents = make_documents(*number_sites("cmn_Hant", 30), *number_sites("cmn_Hans", 30))
    options = Validation.model_validate({"languages": {"zh": 0.5, "cmn_Hans": {"share": 0, "by": "content"}}})
    shares = choose_shares(gather(documents, options), options)
    assert shares.of("cmn_Hant") == LanguageShare(share=0.5)
    assert shares.of("cmn_Hans") == LanguageShare(share=0, by="content")
    held = shares.choose(documents)
    assert 5 < held[:30].sum() < 25 and not held[30:].any()
    assert not choose_shares(gather(documents, Validation(least=0)), Validation(least=0)).languages
    with pytest.raises(ValueError, match="is not a language"):
        Validation.model_validate({"languages": {"klingonese": 0.1}})


def test_documents_that_would_now_be_trained_on_are_counted_by_language() -> None:
    options = Validation()
    small, large = number_sites("tha_Thai", 30), number_sites("tha_Thai", 3000)
    before = choose_shares(gather(make_documents(*small), options), options)
    documents = make_documents(*large)
    units = gather_units(documents, options, before.choose(documents))
    now = choose_shares(units, options)
    assert now.of("tha_Thai").share < before.of("tha_Thai").share
    leaving = before.choose(documents) & ~now.choose(documents)
    assert count_leaving(units, now, options) == {"tha_Thai": int(leaving.sum())}
    other = make_documents(*small, *[("tha_Thai", "one.example", str(n)) for n in range(40)])
    old = Shares(0.005, {"tha_Thai": LanguageShare(share=0.32, by="content")}).choose(other)
    units = gather_units(other, options, old)
    now = choose_shares(units, options)
    assert count_leaving(units, now, options) == {"tha_Thai": int((old & ~now.choose(other)).sum())}


def test_sides_are_named_for_kept_documents_alone() -> None:
    kept, held = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert name_sides(kept, held) == ["valid", "train", None, None]


# --- builds ---

TEXTS = {
    "tha_Thai": "แม่น้ำสายที่ {} ยาวมากและไหลลงสู่ทะเลหลังจากผ่านเมืองใหญ่หลายเมือง ผู้คนริมฝั่งใช้น้ำทำนาและเลี้ยงปลา",
    "cmn_Hans": "第{}天天气很好，我们一家人去公园散步，孩子们在湖边玩得很高兴，傍晚才回到家里吃晚饭，然后早早地睡了。",
    "rus_Cyrl": "Река номер {} берёт начало на севере и через много дней впадает в море. Люди живут на её берегах.",
}


def write_texts(path: Path, start: int, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [text.format(number) for number in range(start, start + count) for text in TEXTS.values()]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))


def read_held(workspace: Workspace) -> set[str]:
    """Return the texts in validation."""
    texts = workspace.documents().to_table(columns=["text"])["text"].to_pylist()
    sides = workspace.decisions().to_table(columns=["split"])["split"].to_pylist()
    return {text for text, side in zip(texts, sides, strict=True) if side == "valid"}


def build(
    folder: Path, name: str, paths: str, *, source: str = "one", more: str = ""
) -> tuple[Workspace, list[str]]:
    manifest = folder / f"{name}.yaml"
    manifest.write_text(
        f"name: held\nsources: {{{source}: {{kind: jsonl, paths: '{paths}', rules: []}}}}\n"
        f"dedup: {{minhash: false}}\ntokenizer: {{vocabulary: 300}}\n{more}"
    )
    said: list[str] = []
    workspace = build_workspace(str(manifest), str(folder / name), Running(), said.append)
    return workspace, said


def test_files_folders_and_names_of_sources_leave_validation_as_it_is(tmp_path: Path) -> None:
    write_texts(tmp_path / "data" / "a.jsonl", 0, 60)
    workspace, said = build(tmp_path, "one", "data/*.jsonl")
    held = read_held(workspace)
    assert len(held) >= 15 and not [line for line in said if line.startswith("validation: ")]
    resolved = yaml.safe_load((tmp_path / "one" / "manifest.yaml").read_text())["validation"]["resolved"]
    assert set(resolved) == set(TEXTS) and all(share["by"] == "content" for share in resolved.values())

    shutil.copytree(tmp_path / "data", tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere" / "deep" / "a.jsonl").rename(tmp_path / "elsewhere" / "deep" / "z.jsonl")
    moved, _ = build(tmp_path, "two", "elsewhere/**/*.jsonl", source="other")
    assert read_held(moved) == held

    write_texts(tmp_path / "data" / "b.jsonl", 1000, 1200)
    grown, said = build(tmp_path, "one", "data/*.jsonl")
    (line,) = [line for line in said if line.startswith("validation: ")]
    trained = len(held - read_held(grown))
    assert f"validation: {trained} documents that the last build held out would now be trained on" in line
    pin = yaml.safe_load(line[line.index("`") + 1 : line.rindex("`")])
    assert set(pin["validation"]["languages"]) < set(TEXTS)
    pins = yaml.safe_dump({"validation": {"languages": resolved}})
    pinned, _ = build(tmp_path, "three", "data/*.jsonl", more=pins)
    assert held <= read_held(pinned)
