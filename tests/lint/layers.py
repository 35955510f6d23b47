"""Arrows point down only: pipelines -> filters -> corpus; the trainer needs no Beam, the pipelines no torch.

And what is imported is there, also inside functions.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
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


def missing(path: Path) -> list[str]:
    """Names that a file imports from our own modules, wherever in it, and that are not there."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN:
            module = ROOT.joinpath(*str(node.module).split("."))
            names = defined(module / "__init__.py" if module.is_dir() else module.with_suffix(".py"))
            for alias in node.names:
                is_module = (module / alias.name).is_dir() or (module / f"{alias.name}.py").exists()
                if alias.name not in names and not is_module:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: no {alias.name} in {node.module}")
    return found


@cache
def defined(path: Path) -> set[str]:
    """Every name that a module binds."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())) if path.exists() else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def main() -> int:
    wrong = [line for path in sorted(ROOT.glob("[cfpt]*/**/*.py")) for line in missing(path)]
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
