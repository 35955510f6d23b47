"""Arrows point down only: pipelines -> filters -> corpus; the trainer needs no Beam, the pipelines no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "corpus": {"filters", "pipelines", "apache_beam"},
    "filters": {"pipelines", "apache_beam"},
    "pipelines": set(),
}
TORCH = {"trainer", "trained"}


def imported(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def main() -> int:
    wrong = []
    for package, forbidden in FORBIDDEN.items():
        for path in sorted((ROOT / package).rglob("*.py")):
            bad = imported(path) & forbidden
            if bad:
                wrong.append(f"{path.relative_to(ROOT)} imports {', '.join(sorted(bad))}")
            if "torch" in imported(path) and path.parent.name not in TORCH and package != "pipelines":
                wrong.append(
                    f"{path.relative_to(ROOT)} imports torch outside corpus/trainer and corpus/trained"
                )
    probe = (
        "import sys, corpus, corpus.workspace, corpus.manifest; "
        "print([name for name in ('apache_beam', 'torch', 'fasttext') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True
    )
    if loaded.stdout.strip() != "[]":
        wrong.append(f"import corpus pulls in {loaded.stdout.strip()}")
    print("\n".join(wrong) or "layers: every import points down")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
