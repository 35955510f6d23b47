"""The page docs/extending.md: its package, run outside the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.dataset as ds

import corpus as public
from tests.plugins.conftest import Run
from tests.plugins.lab import TEXTS


def read_signals(out: Path, step: str) -> dict[str, list[float]]:
    workspace = public.open(str(out))
    columns: dict[str, list[float]] = workspace.signals(step).to_table().to_pydict()
    return columns


def test_a_source_two_filters_and_an_extractor_with_two_workers(built_lab: Path, corpus: Run) -> None:
    lab = built_lab
    two = ["--out", "two", "--plugins", ".", "--workers", "2"]
    done = corpus(lab, "build", "lab.yaml", *two, CORPUS_SPREAD_FROM="0")
    assert done.returncode == 0, done.stderr
    tokens = [(lab / out / "tokens" / "dataset.json").read_bytes() for out in ("two", "out")]
    assert tokens[0] == tokens[1]
    documents = public.open(str(lab / "out")).documents().to_table().to_pylist()
    poems = [row["text"] for row in documents if row["source"] == "poems"]
    assert poems == list(TEXTS)
    pages = {row["text"]: dict(row["metadata"])["title"] for row in documents if row["source"] == "pages"}
    assert pages == {f"{text} {number}": str(number) for number, text in enumerate(TEXTS)}
    values = read_signals(lab / "out", "readability")
    assert set(values) == {
        f"readability.{name}" for name in ("words_per_sentence", "long_words", "failed")
    } | {"source"}
    first = documents.index(next(row for row in documents if row["text"] == TEXTS[0]))
    assert values["readability.words_per_sentence"][first] == 9.5
    assert round(read_signals(lab / "out", "letters")["letters.share"][first], 2) == 1.0


def test_plan_decide_sample_and_the_report_know_the_signals(built_lab: Path, corpus: Run) -> None:
    lab = built_lab
    plan = corpus(lab, "plan", "lab.yaml", "--plugins", ".", "--json")
    rules = {row["rule"] for row in json.loads(plan.stdout)["recipes"]["poems"]}
    assert {"readability.words_per_sentence.max", "readability.failed.max", "text.characters.min"} <= rules
    what_if = ["decide", "out", "--what-if", "readability.words_per_sentence.max=10", "--json"]
    assert "name its folder with --plugins DIR" in corpus(lab, *what_if).stderr
    changed = corpus(lab, *what_if, "--plugins", ".")
    assert sum(row["gone"] for row in json.loads(changed.stdout)["rows"]) > 0
    shown = corpus(
        lab, "sample", "out", "--json", "--score", "readability.words_per_sentence=9.5..9.5", "-n", "1"
    )
    assert json.loads(shown.stdout)["signals"]["readability.words_per_sentence"] == 9.5
    assert "readability.words_per_sentence" in (lab / "out" / "report.html").read_text()
    assert corpus(lab, "verify", "out").returncode == 0
    rebuilt = corpus(lab, "verify", "out", "--rebuild", "2", "--manifest", "lab.yaml", "--plugins", ".")
    assert rebuilt.returncode == 0, rebuilt.stderr


def test_a_workspace_keeps_the_files_of_its_own_presets(built_lab: Path, corpus: Run) -> None:
    lab = built_lab
    assert (lab / "out" / "rules" / "short_texts.yaml").read_bytes() == (
        lab / "rules" / "short_texts.yaml"
    ).read_bytes()
    (lab / "rules" / "short_texts.yaml").unlink()
    decided = corpus(lab, "decide", "out", "--plugins", ".", "--set", "text.characters.min=80")
    assert decided.returncode == 0, decided.stderr
    kept = public.open(str(lab / "out")).decisions().to_table(filter=ds.field("kept")).num_rows
    assert 0 < kept < 2 * len(TEXTS)


def test_an_idle_filter_changes_no_token(built_lab: Path, corpus: Run) -> None:
    lab = built_lab
    plain = lab / "plain.yaml"
    text = (lab / "lab.yaml").read_text()
    plain.write_text(
        text.replace("  - mylab.signals:Letters: {script: Latn}        # options of the class\n", "")
    )
    done = corpus(lab, "build", "plain.yaml", "--out", "plain", "--plugins", ".")
    assert done.returncode == 0, done.stderr
    shards = [sorted((lab / out / "tokens").rglob("*.arrow")) for out in ("out", "plain")]
    assert [path.read_bytes() for path in shards[0]] == [path.read_bytes() for path in shards[1]] != []
    datasets = [json.loads((lab / out / "tokens" / "dataset.json").read_text()) for out in ("out", "plain")]
    assert datasets[0] == datasets[1]


def test_an_edited_filter_is_measured_again_and_nothing_else(lab: Path, corpus: Run) -> None:
    (lab / "alone.py").write_text("VERSION = 1\nSIGNALS = ('one',)\n\n\ndef measure(page):\n    return [1]\n")
    with (lab / "lab.yaml").open("a") as manifest:
        manifest.write("\n")
    text = (lab / "lab.yaml").read_text().replace("filters:\n", "filters:\n  - alone\n")
    (lab / "lab.yaml").write_text(text)
    build = ["build", "lab.yaml", "--out", "out", "--plugins", "."]
    assert corpus(lab, *build).returncode == 0
    assert "nothing to do" in corpus(lab, *build).stderr
    before = {path: path.stat().st_mtime_ns for path in (lab / "out").rglob("*.parquet")}
    (lab / "alone.py").write_text("VERSION = 1\nSIGNALS = ('one',)\n\n\ndef measure(page):\n    return [2]\n")
    again = corpus(lab, *build)
    assert again.returncode == 0, again.stderr
    after = {path: path.stat().st_mtime_ns for path in (lab / "out").rglob("*.parquet")}
    changed = {path.relative_to(lab / "out").parts[1] for path in after if after[path] != before.get(path)}
    measured = {
        path.relative_to(lab / "out").parts[1]
        for path in after
        if after[path] != before.get(path)
        and path.relative_to(lab / "out").parts[0] in ("documents", "signals")
    }
    assert measured == {"alone"}, changed
    assert read_signals(lab / "out", "alone")["alone.one"] == [2.0] * (2 * len(TEXTS))
