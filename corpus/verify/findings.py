"""Results of checks: how many things each checked, how many were wrong, and descriptions of the first few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CHECKS = {
    "files": "every part of the plan exists, and no other",
    "checksums": "pages, texts, shards, edits, signatures and the tokenizer are as they were made",
    "schema": "columns and types match the documentation",
    "fingerprints": "every part was made from the documents stored with it",
    "decisions": "no kept document has a gate, a failed rule or another document it duplicates",
    "validation": "each group is in the split that its name determines",
    "ids": "no document is kept twice; duplicates refer to kept documents",
    "shards": "every kept document is in exactly one row, with its split, source, language and size",
    "tokens": "tokens are in the vocabulary, end with end-of-text, and decode to the text",
    "counts": "ledger and dataset.json agree with a recount",
    "rebuild": "input splits rebuilt from the input have the same bytes",
}
_MAKES = "and run the same `corpus build`, which makes it anew with what depends on it"
REPAIRS = {
    "files": "what is missing: run the same `corpus build`, which makes it anew; what is too much: remove it",
    "checksums": f"remove each file that is named {_MAKES}; dataset.json, too, where a shard is not the one it names",
    "schema": f"remove each file that is named {_MAKES}",
    "fingerprints": f"remove each part that is named {_MAKES}",
    "decisions": f"remove the part below decisions/ {_MAKES}",
    "validation": f"remove the part below decisions/ {_MAKES}",
    "ids": f"remove dedup/clusters.parquet and the decisions that are named {_MAKES}",
    "shards": f"remove tokens/dataset.json {_MAKES}",
    "tokens": f"remove the shard or the part below tokens/parts/ that is named {_MAKES}",
    "counts": f"remove stats/counts.parquet {_MAKES}; clusters.parquet or dataset.json where that is named",
    "rebuild": "if the input or the versions have changed: `corpus build` reads it again; else remove the file that is "
    "named and build",
}
"""What mends a failed check."""
MAX_PROBLEMS_SHOWN = 5
"""Problems of one check that are described, at most."""


def name_part(folder: str, source: str, split: str, extension: str = "parquet") -> str:
    """Return the path of an input split's part below the workspace, for people who look for it."""
    return f"{folder}/source={source}/part-{split}.{extension}"


@dataclass
class Check:
    """One check: the number of things checked (`looked`), of wrong ones, and descriptions of the first of these."""

    looked: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Findings:
    """All checks by name. Findings of parts and shards can be added."""

    checks: dict[str, Check] = field(default_factory=lambda: {name: Check() for name in CHECKS})

    def looked(self, name: str, count: int = 1) -> None:
        self.checks[name].looked += count

    def wrong(self, name: str, problem: str, count: int = 1) -> None:
        """Record a problem that `count` things have."""
        check = self.checks[name]
        check.wrong += count
        if len(check.problems) < MAX_PROBLEMS_SHOWN:
            check.problems.append(problem)

    def rows(self, name: str, what: str, rows: Iterable[int], count: int) -> None:
        """Record the rows of a part that fail a check, if there are any."""
        if count:
            first = ", ".join(str(row) for _, row in zip(range(3), rows, strict=False))
            self.wrong(name, f"{what}: rows {first}{' ...' if count > 3 else ''}", count)

    def add(self, other: Findings) -> None:
        for name, check in other.checks.items():
            mine = self.checks[name]
            mine.looked += check.looked
            mine.wrong += check.wrong
            mine.problems = (mine.problems + check.problems)[:MAX_PROBLEMS_SHOWN]

    @property
    def good(self) -> bool:
        return not any(check.wrong for check in self.checks.values())
