"""`corpus verify` names the file that is damaged before all that follows from it."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from corpus.pipelines.cli.verify import divide_findings, print_findings
from corpus.verify.findings import CHECKS, REPAIRS, Findings


def print_to_text(findings: Findings) -> list[str]:
    with redirect_stdout(io.StringIO()) as printed:
        print_findings(findings)
    return [line for line in printed.getvalue().splitlines() if line[:1] != " " and "  " not in line]


def test_the_cause_comes_first() -> None:
    findings = Findings()
    for at in range(8):
        findings.wrong("counts", f"wiki tha_Thai kept bytes: 0, the ledger says {at}")
    findings.wrong("shards", "document 00 is in a shard but not kept")
    findings.wrong("checksums", "out/documents/part-甲.parquet: the footer is damaged")
    assert divide_findings(findings) == (["checksums"], ["shards", "counts"])
    lines = print_to_text(findings)
    assert lines[0] == "checksums: out/documents/part-甲.parquet: the footer is damaged"
    assert lines[1].startswith(
        "checksums: to mend it, remove each file that is named and run the same `corpus build`"
    )
    assert lines[2].startswith("The rest may follow from that: mend it first, then verify again.")
    assert (
        lines[3] == "shards: document 00 is in a shard but not kept"
        and lines[-1] == "counts: 8 wrong in total"
    )


def test_findings_without_a_cause_are_told_as_they_are() -> None:
    findings = Findings()
    findings.wrong("counts", "a: 0, the ledger says 1")
    problem, repair = print_to_text(findings)
    assert problem == "counts: a: 0, the ledger says 1" and "remove stats/counts.parquet" in repair
    findings = Findings()
    findings.wrong("files", "a is missing")
    problem, repair = print_to_text(findings)
    assert problem == "files: a is missing" and "run the same `corpus build`, which makes it anew" in repair
    assert REPAIRS.keys() == CHECKS.keys()
