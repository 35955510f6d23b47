"""Reasons of failures: records with the same damage have one, wherever they are."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.document import Failure
from corpus.ledger.quarantine import QuarantineWriter, sample_quarantine
from corpus.ledger.reasons import name_reason, name_reasons
from corpus.ledger.tables import build_quarantine_table
from corpus.workspace import Workspace

CASES = [
    (
        "not UTF-8: 'utf-8' codec can't decode byte 0xe4 in position 1,204: invalid",
        "not UTF-8: 'utf-8' codec can't decode byte … in position …",
    ),
    (
        "not a JSON line: Expecting ',' delimiter: line 1 column 15 (char 14)",
        "not a JSON line: Expecting ',' delimiter",
    ),
    ("cut: 1,024 of 88 bytes", "cut: … of … bytes"),
    ("'a/bomb.py' has 68,157,440 bytes, over the limit", "'…' has … bytes, over the limit"),
    ("'книга/глава 1.xhtml' is over max_bytes", "'…' is over max_bytes"),
    ("damaged: no object a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "damaged: no object …"),
    ("member 1,204 has no name", "member … has no name"),
    ("1 byte of zeros", "… byte of zeros"),
    ("https://a.example/x: HTTP 404", "HTTP 404"),
    ("ISO 8859-1 is not what it is", "ISO 8859-1 is not what it is"),
    ("no text in field 'body'", "no text in field 'body'"),
    ("第3页: 文件在此结束", "第3页: 文件在此结束"),
]


@pytest.mark.parametrize(("error", "reason"), CASES)
def test_places_and_sizes_are_left_out(error: str, reason: str) -> None:
    assert name_reason("damaged", error) == reason


def test_tables_name_reasons_alike() -> None:
    errors = [error for error, _ in CASES]
    part = pa.table({"reason": ["damaged"] * len(errors) + ["crash"], "error": [*errors, "at byte 17"]})
    assert name_reasons(part).to_pylist() == [*(reason for _, reason in CASES), "crash"]


def test_the_ledger_counts_alike_damage_once_with_a_place(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"splits": [["web", "0"], ["web", "1"]], "steps": []}))
    workspace = Workspace(str(tmp_path))
    for split in ("0", "1"):
        with QuarantineWriter(workspace.quarantine_part("web", split), "web", split, "x") as writer:
            for at in range(20):
                error = (
                    f"not UTF-8: 'utf-8' codec can't decode byte 0x{at + 16:x} in position {at * 7}: invalid"
                )
                writer.add(
                    Failure(file=f"{split}.jsonl", offset=at * 100, length=9, step="read", error=error)
                )
            writer.add(Failure(file="x", offset=4, length=1, step="extract", error="slow", reason="time"))
    (cut, time) = sorted(build_quarantine_table(workspace).to_pylist(), key=lambda row: -row["records"])
    reason = "not UTF-8: 'utf-8' codec can't decode byte … in position …"
    wanted = {
        "source": "web",
        "step": "read",
        "reason": reason,
        "records": 40,
        "file": "0.jsonl",
        "offset": 0,
    }
    assert cut == wanted
    assert (time["reason"], time["records"], time["file"], time["offset"]) == ("time", 2, "x", 4)
    assert len(sample_quarantine(workspace, 99, reason=reason)) == 40
    assert len(sample_quarantine(workspace, 99, reason="not UTF-8")) == 40
