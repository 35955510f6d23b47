"""What commands do not need, they do not import: start-up is most of what a small build costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace

COMMANDS = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from corpus.errors import UserError
from corpus.pipelines.beam.loading import own_process
from corpus.pipelines.cli import _register, app
own_process()
_register([])
seen = []
for command in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            app(command, prog_name="corpus", standalone_mode=False)
            error = ""
        except UserError as wrong:
            error = str(wrong)
    seen.append([error, sorted(sys.modules)])
print(json.dumps(seen))
"""

NEVER = {
    "boto3",
    "fsspec",
    "google.cloud.storage",
    "google.cloud.bigquery",
    "httpx",
    "IPython",
    "matplotlib",
    "pandas",
    "pymongo",
    "scipy",
    "tldextract",
    "torch",
    "trafilatura",
    "transformers",
}
NOT_TO_READ = {"apache_beam", "grpc", "icu4py", "lxml", "tiktoken", "tokenizers"}
"""For commands that read a few files of a workspace, or find a mistake."""


def run_commands(commands: list[list[str]]) -> list[tuple[str, list[str]]]:
    """Run commands in one process; return the error of each, and the modules that are imported after it."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)], capture_output=True, text=True, check=True
    )
    seen: list[tuple[str, list[str]]] = json.loads(done.stdout)
    return seen


def test_mistakes_of_keys_paths_and_rules_need_no_arrow(tmp_path: Path) -> None:
    wrong = tmp_path / "错.yaml"
    wrong.write_text(
        "name: cuo\nsources:\n  cuo: {kind: jsonl, paths: [x.jsonl], rules: [gopher_quality]}\n"
        "rules: {gophr.words: {min: 1}}\n"
    )
    unknown = tmp_path / "kind.yaml"
    unknown.write_text("name: cuo\nsources:\n  cuo: {kind: pubmd, paths: [x.xml]}\n")
    (kind, at_first), (error, modules) = run_commands([["plan", str(unknown)], ["plan", str(wrong)]])
    assert "unknown kind 'pubmd': did you mean pubmed?" in kind
    assert not {"corpus.sources.wikipedia", "corpus.sources.papers.pubmed"} & {*at_first}
    assert "no such file: x.jsonl" in error
    assert not (NEVER | NOT_TO_READ | {"pyarrow"}) & {*modules}


def test_commands_import_what_they_need_alone(tmp_path: Path) -> None:
    (tmp_path / "好.jsonl").write_text(
        json.dumps({"text": "春天来了，花园里的树都发芽了。孩子们在草地上奔跑。" * 8}) + "\n"
    )
    manifest = tmp_path / "好.yaml"
    manifest.write_text(f"name: hao\nsources:\n  hao: {{kind: jsonl, paths: ['{tmp_path}/*.jsonl']}}\n")
    wrong = tmp_path / "错.yaml"
    wrong.write_text("name: cuo\nsources:\n  cuo: {kind: jsonl, paths: [x.jsonl], 颜色: red}\n")
    workspace = build_workspace(str(manifest), str(tmp_path / "out"), Running()).root
    commands = [
        ["--help"],
        ["stats", workspace],
        ["build", str(wrong), "--out", str(tmp_path / "other")],
        ["plan", str(wrong)],
        ["plan", str(manifest)],
        ["build", str(manifest), "--out", str(tmp_path / "again")],
    ]
    seen = run_commands(commands)
    errors = [error for error, _ in seen]
    assert [bool(error) for error in errors] == [False, False, True, True, False, False], errors
    assert "颜色: unknown key" in errors[2] and "颜色: unknown key" in errors[3]
    for command, (_, modules) in zip(commands, seen, strict=True):
        assert not NEVER & {*modules}, command
    assert "numpy" not in seen[0][1]
    assert not any("pydantic" in modules for _, modules in seen[:2])
    assert not NOT_TO_READ & {*seen[3][1]}
    built = seen[-1][1]
    assert "apache_beam" in built
    assert not {
        "corpus.clean.clean_spans",
        "corpus.private.kinds",
        "corpus.sources.code",
        "corpus.sources.recognize",
    } & {*built}
