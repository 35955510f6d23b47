"""Plug-ins that are missing, broken, talkative, slow, or changed: one line each, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import corpus as public
from tests.plugins.conftest import Run

Write = Callable[..., Path]
FILTER = "class Mine:\n    version = 1\n    signals = ('one',)\n    def measure(self, page):\n        "
SOURCE = "from corpus import Record, Source\nclass Mine(Source):\n    def read(self, path, file, start, end):\n        "
RECORD = "yield Record(native_id=file, file=file, offset=0, length=1, body=b'The river rises in the north.')"
QUICK = "extraction: {seconds: 1}"
BUILD = ("build", "m.yaml", "--out", "out", "--plugins", ".")

WRONG_FILTERS = {
    "filters: [mine:Mine]|raise OSError('no disk')": "mine:Mine cannot be imported: OSError: no disk",
    "filters: [mine:Mine]|def f(:": "mine:Mine cannot be imported: SyntaxError",
    "filters: [mine:Mine]|raise SystemExit(3)": "mine:Mine cannot be imported: SystemExit: 3",
    "filters: [mine:Yours]|class Mine: pass": "mine:Yours: mine has no Yours",
    "filters: [mine:Mine]|class Mine: pass": "mine:Mine has no `version`",
    "filters: [mine:Mine]|class Mine:\n    version = 1": "mine:Mine has no method `measure(page)`",
    "filters: [mine:Mine]|class Mine:\n    version = 1\n    def measure(self, page): return 1": (
        "mine:Mine has no `signals`"
    ),
    "filters: [mine]|x = 1": "mine has no VERSION",
    f"filters: [mine:Mine]|{FILTER}return 1": "must return 1 numbers (mine.one), not int 1",
    f"filters: [mine:Mine]|{FILTER}return [1, 2]": "must return 1 numbers (mine.one), not 2",
    f"filters: [mine:Mine]|{FILTER}return ['x']": "must return 1 numbers (mine.one), not list ['x']",
    f"filters: [mine:Mine]|{FILTER}return [float('inf')]": "mine.one is inf",
    f"filters: [mine:Mine]|{FILTER}return [1 / 0]": "mine:Mine failed: ZeroDivisionError: division by zero",
    f"filters: [{{mine:Mine: {{size: 3}}}}]|{FILTER}return [1]": "mine:Mine cannot be created: TypeError",
    f"filters: [mine:Mine, {{mine:Mine: {{}}}}]|{FILTER}return [1]": "mine:Mine is there twice",
    "filters: [mine:Gopher]|class Gopher:\n    version = 1\n    signals = ['a']\n    def measure(self, p): pass": (
        "the step gopher is one of corpus"
    ),
    "extraction: {mode: 'mine:Mine'}|class Mine:\n    version = 1": "mine:Mine has no method `extract(record)`",
    "extraction: {mode: 'mine:Mine'}|class Mine:\n    version = 1\n    def extract(self, r): return 3": (
        "mine:Mine: `extract` must return ExtractedText, str or None, not int"
    ),
    "extraction: {mode: fastest}|x = 1": "no such mode: say fast, precision, recall, resiliparse, or a plug-in",
    "identification: {model: 'mine:Mine'}|class Mine:\n    version = 1": "mine:Mine has no method `identify(text)`",
    "identification: {model: 'mine:Mine'}|class Mine:\n    version=1\n    def identify(self, t): return 'xx!', 1": (
        "'xx!' is not a language"
    ),
    "filters: [gopher]|x = 1": "gopher is a filter of corpus: its signals are measured anyway",
    "filters: [nothere:Mine]|x = 1": "nothere:Mine: no module named nothere is installed or lies in /",
    "filters: [sys]|x = 1": "sys is part of Python",
    "filters: [subprocess:Popen]|x = 1": "subprocess:Popen has no `version`",
}


@pytest.mark.parametrize("case", list(WRONG_FILTERS))
def test_a_broken_plugin_is_refused_in_one_line_with_file_line_and_key(
    case: str, one_text: Write, corpus: Run
) -> None:
    line, _, code = case.partition("|")
    folder = one_text(code, line)
    done = corpus(folder, "plan", "m.yaml", "--plugins", ".", "-n", "0")
    assert done.returncode == 2 and done.stdout == "", done.stderr
    (message,) = done.stderr.splitlines()
    assert message.startswith("corpus: m.yaml:6: " + line.partition(":")[0])
    assert WRONG_FILTERS[case] in message


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("mine:Mine", "class Mine: pass", "mine:Mine is not a subclass of corpus.Source"),
        (
            "mine:Mine",
            "from corpus import Source\nclass Mine(Source): pass",
            "mine:Mine has no method `read`",
        ),
        ("mine:Mine", "raise ValueError('no')", "mine:Mine cannot be imported: ValueError: no"),
        ("mine:Yours", "x = 1", "mine:Yours: mine has no Yours"),
        ("mine", "x = 1", "unknown kind 'mine'"),
    ],
)
def test_a_broken_source_is_refused_in_one_line(
    kind: str, code: str, message: str, one_text: Write, corpus: Run
) -> None:
    done = corpus(one_text(code, kind=kind), "plan", "m.yaml", "--plugins", ".")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("corpus: m.yaml:3: sources.s") and message in line


@pytest.mark.parametrize("command", ["plan", "build"])
def test_code_beside_a_manifest_is_refused_before_anything_is_imported(
    command: str, one_text: Write, corpus: Run
) -> None:
    touch = "import pathlib; pathlib.Path('imported').touch()\n"
    folder = one_text(touch + FILTER + "return [1]", "filters: [mine:Mine]")
    out = ["--out", "out"] if command == "build" else []
    for path in ("", ".", str(folder)):
        done = corpus(folder, command, "m.yaml", *out, **({"PYTHONPATH": path} if path else {}))
        if path == "":
            (line,) = done.stderr.splitlines()
            assert "mine lies beside the manifest" in line and f"--plugins {folder}" in line
            assert line.startswith("corpus: m.yaml:6: filters[0]: ") and done.returncode == 2
            assert not (folder / "imported").exists()
    assert (folder / "imported").exists(), "PYTHONPATH is the user's own word"


def test_decide_refuses_it_too(one_text: Write, corpus: Run) -> None:
    folder = one_text(FILTER + "return [1]", "filters: [mine:Mine]")
    assert corpus(folder, *BUILD).returncode == 0
    (folder / "out" / "mine.py").write_text("raise SystemExit('imported')")
    (folder / "mine.py").unlink()
    refused = corpus(folder, "decide", "out", "--what-if", "mine.one.max=0")
    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 2 and "mine lies beside the manifest" in line
    twice = corpus(folder, "decide", "out", "--what-if", "mine.one.max=0", "--plugins", "nowhere")
    assert twice.stderr.splitlines() == ["corpus: --plugins nowhere: no such folder"]


def test_a_module_in_two_places_is_refused(one_text: Write, corpus: Run) -> None:
    folder = one_text(FILTER + "return [1]", "filters: [mine:Mine]")
    (folder / "other").mkdir()
    (folder / "other" / "mine.py").write_text(FILTER + "return [2]")
    done = corpus(folder, "plan", "m.yaml", "--plugins", ".", "--plugins", "other")
    assert "mine is both" in done.stderr and done.returncode == 2


FAULTS = {
    "raise ValueError('not today')": ("damaged", "mine:Mine failed: ValueError: not today"),
    "return 'x'": ("damaged", "must return 1 numbers (mine.one), not str"),
    "return [float('-inf')]": ("damaged", "mine.one is -inf"),
    "return None": ("damaged", "must return 1 numbers (mine.one), not NoneType"),
    "import os; os._exit(5)": ("crash", "the parser ended with status 5"),
    "import sys; sys.exit(5)": ("damaged", "SystemExit: 5"),
    "import time; time.sleep(60)": ("time", "no answer within 5 s"),
    "while True: pass": ("time", "more than 1 s of processor time"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_document_that_a_filter_fails_on_is_quarantined_and_the_others_are_built(
    fault: str, one_text: Write, corpus: Run
) -> None:
    code = (
        FILTER + f"print('noise')\n        if '今天' in page.text:\n            {fault}\n        return [7]"
    )
    folder = one_text(code, "filters: [mine:Mine]", QUICK)
    done = corpus(folder, *BUILD, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"]["rows"] == 2
    assert "noise" not in done.stdout
    workspace = public.open(str(folder / "out"))
    rows = workspace.signals("mine").to_table().to_pylist()
    assert [(row["mine.one"], row["mine.failed"]) for row in rows] == [(7, 0), (None, 1), (7, 0)]
    failed = workspace.decisions().to_table().to_pylist()[1]
    assert not failed["kept"] and "mine.failed.max" in failed["failed_rules"]
    shown = corpus(folder, "sample", "out", "--quarantine", "--json")
    (row,) = map(json.loads, shown.stdout.splitlines())
    reason, error = FAULTS[fault]
    assert (row["reason"], row["step"], row["file"]) == (reason, "mine", "t.jsonl")
    assert error in row["error"] and row["offset"] > 0
    assert corpus(folder, "verify", "out").returncode == 0


SOURCE_FAULTS = {
    "raise ValueError('not today')": ("damaged", "ValueError: not today"),
    "yield {'text': 'x'}": ("damaged", "mine:Mine yields dict, not Record or Failure"),
    "yield Record(native_id=7, file=file, offset=0, length=1, body=b'x')": (
        "damaged",
        "mine:Mine yields a Record whose native_id is int",
    ),
    "yield Record(native_id='7', file=file, offset=0, length=1, body=None)": (
        "damaged",
        "whose body is NoneType",
    ),
    "import time; time.sleep(60)": ("time", "mine:Mine has given no record for 5 s"),
}


@pytest.mark.parametrize("fault", list(SOURCE_FAULTS))
def test_what_a_source_cannot_read_is_quarantined(fault: str, one_text: Write, corpus: Run) -> None:
    code = SOURCE + f"{RECORD}\n        print('noise')\n        {fault}"
    folder = one_text(code, QUICK, kind="mine:Mine")
    done = corpus(folder, *BUILD, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"]["rows"] == 1
    shown = corpus(folder, "sample", "out", "--quarantine", "--json")
    (row,) = map(json.loads, shown.stdout.splitlines())
    reason, error = SOURCE_FAULTS[fault]
    assert (row["reason"], row["step"]) == (reason, "read") and error in row["error"]


def test_an_extractor_and_an_identifier_that_fail_cost_their_documents(one_text: Write, corpus: Run) -> None:
    code = (
        "class Mine:\n    version = 1\n    media_types = ('text/plain',)\n"
        "    def extract(self, record):\n        if '今天' in record.body: raise ValueError('no')\n"
        "        return record.body\n"
        "class Named:\n    version = 1\n"
        "    def identify(self, text):\n        if 'แม่' in text: raise ValueError('who knows')\n"
        "        return 'nld', .5\n"
    )
    folder = one_text(code, "extraction: {mode: 'mine:Mine'}", "identification: {model: 'mine:Named'}")
    done = corpus(folder, *BUILD)
    assert done.returncode == 0, done.stderr
    rows = public.open(str(folder / "out")).documents().to_table().to_pylist()
    assert [row["language"] for row in rows] == ["nld_Latn"]
    (score,) = public.open(str(folder / "out")).signals("language").to_table()["language.score"].to_pylist()
    assert score == 0.5
    shown = corpus(folder, "sample", "out", "--quarantine", "--json")
    errors = {(row["step"], row["error"]) for row in map(json.loads, shown.stdout.splitlines())}
    assert errors == {
        ("extract", "mine:Mine failed: ValueError: no"),
        ("language", "mine:Named failed: ValueError: who knows"),
    }


def test_a_plugin_that_hangs_while_it_is_loaded_is_refused(one_text: Write, corpus: Run) -> None:
    folder = one_text("import time; time.sleep(60)", "filters: [mine:Mine]", QUICK)
    done = corpus(folder, "plan", "m.yaml", "--plugins", ".")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "mine:Mine: no answer within 5 s" in line


def test_a_plugin_that_changes_during_a_build_ends_it(one_text: Write, corpus: Run) -> None:
    """It changes itself while it measures."""
    code = FILTER + "open(__file__, 'a').write('#') if '今天' in page.text else 0\n        return [1]\n"
    folder = one_text(code, "filters: [mine:Mine]")
    done = corpus(folder, *BUILD)
    assert done.returncode == 1
    assert (
        "the plug-in mine:Mine" in done.stderr
        and "is not the one that the build was planned with" in done.stderr
    )
    (folder / "mine.py").write_text(FILTER + "return [1]\n")
    again = corpus(folder, *BUILD)
    assert again.returncode == 0, again.stderr
    assert public.open(str(folder / "out")).signals("mine").to_table()["mine.one"].to_pylist() == [1, 1, 1]
