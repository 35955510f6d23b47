"""Plug-ins that are missing, broken, talkative, slow, or changed: one line each, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import corpus as public
from corpus.ledger.quarantine import sample_quarantine
from tests.plugins.conftest import Run

Write = Callable[..., Path]
FILTER = "class Mine:\n    version = 1\n    signals = ('one',)\n    def measure(self, page):\n        "
SOURCE = (
    "from typing import ClassVar\nfrom corpus import Record, Source\n"
    "class Mine(Source):\n    def read(self, path, file, start, end):\n        "
)
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
    f"filters: [mine:Mine]|{FILTER}return 1": "must return 1 number, (value,) for mine.one, not int 1",
    f"filters: [mine:Mine]|{FILTER}return [1, 2]": "must return 1 number, (value,) for mine.one, not 2",
    f"filters: [mine:Mine]|{FILTER}return ['x']": "must return 1 number, (value,) for mine.one, not list ['x']",
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
    "extraction: {mode: fastest}|x = 1": "no such mode: did you mean fast?",
    "identification: {model: 'mine:Mine'}|class Mine:\n    version = 1": "mine:Mine has no method `identify(text)`",
    "identification: {model: 'mine:Mine'}|class Mine:\n    version=1\n    def identify(self, t): return 'xx!', 1": (
        "'xx!' is not a language"
    ),
    "filters: [gopher]|x = 1": "gopher is a filter of corpus: its signals are measured anyway",
    "filters: [nothere:Mine]|x = 1": "nothere:Mine: no module named nothere is installed or lies in /",
    "filters: [sys]|x = 1": "sys is part of Python",
    "filters: [antigravity]|x = 1": "antigravity is part of Python",
    "filters: [subprocess:Popen]|x = 1": "subprocess is part of Python",
    "filters: [pytest.__main__]|x = 1": "pytest.__main__ is part of Python",
    f"filters: [mine:Mine]|{FILTER}return [1e300]": "mine.one is 1e+300, more than float32 holds",
    "extraction: {mode: 'mine:Mine'}|from corpus import ExtractedText as E\nclass Mine:\n    version = 1\n"
    "    def extract(self, r): return E(text='x', date=2024)": "mine:Mine: `date` must be str or None, not int",
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


@pytest.mark.parametrize(
    ("line", "kind", "place"),
    [
        ("extraction: {mode: 'nothere:Mine'}", "text", "m.yaml:6: extraction.mode"),
        ("identification: {model: 'nothere:Mine'}", "text", "m.yaml:6: identification.model"),
        ("filters: ['nothere:Mine']", "text", "m.yaml:6: filters[0]"),
        ("seed: 1", "nothere:Mine", "m.yaml:3: sources.s.kind"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_plugin_that_is_not_there_is_told_once(
    line: str, kind: str, place: str, command: str, one_text: Write, corpus: Run
) -> None:
    folder = one_text("x = 1", line, kind=kind)
    done = corpus(folder, command, "m.yaml", *(["--out", "out"] if command == "build" else []))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        f"corpus: {place}: nothere:Mine: no module named nothere is installed: install it, or name its folder with "
        "--plugins DIR\n"
    )


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


def test_code_in_the_current_folder_is_refused_wherever_the_manifest_lies(
    one_text: Write, corpus: Run
) -> None:
    """`python -m` and notebooks put that folder on the path, and the manifest may be in a folder below it."""
    touch = "import pathlib; pathlib.Path('imported').touch()\n"
    folder = one_text(touch + FILTER + "return [1]", "filters: [mine:Mine]")
    (folder / "conf").mkdir()
    for name, module in (("mine.py", "mine"), ("conf/own.py", "conf.own")):
        if name != "mine.py":
            (folder / name).write_text((folder / "mine.py").read_text())
        manifest = (
            (folder / "m.yaml")
            .read_text()
            .replace("t.jsonl", "../t.jsonl")
            .replace("mine:Mine", f"{module}:Mine")
        )
        (folder / "conf" / "m.yaml").write_text(manifest)
        command = [sys.executable, "-m", "corpus.pipelines.cli", "plan", "conf/m.yaml", "-n", "0"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2 and f"{module} lies " in line and "--plugins" in line, line
        assert not (folder / "imported").exists()


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
    "return 'x'": ("damaged", "must return 1 number, (value,) for mine.one, not str"),
    "return [float('-inf')]": ("damaged", "mine.one is -inf"),
    "return None": ("damaged", "must return 1 number, (value,) for mine.one, not NoneType"),
    "import os; os._exit(5)": ("crash", "the parser ended with status 5"),
    "import sys; sys.exit(5)": ("damaged", "SystemExit: 5"),
    "import time; time.sleep(60)": ("time", "no answer within 5 s"),
    "while True: pass": ("time", "more than 1 s of processor time"),
}


def test_documents_that_a_filter_fails_on_are_quarantined_and_the_others_are_built(
    one_text: Write, corpus: Run
) -> None:
    code = FILTER + "print('noise')\n"
    for number, fault in enumerate(FAULTS):
        code += f"        if 'case {number}.' in page.text:\n            {fault}\n"
    folder = one_text(code + "        return [7]", "filters: [mine:Mine]", QUICK)
    with (folder / "t.jsonl").open("a") as rows:
        for number in range(len(FAULTS)):
            rows.write(json.dumps({"text": f"The river rises in the north, in case {number}."}) + "\n")
    done = corpus(folder, *BUILD, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"]["rows"] == 3
    assert "noise" not in done.stdout
    workspace = public.open(str(folder / "out"))
    signals = workspace.signals("mine").to_table().to_pylist()
    assert [(row["mine.one"], row["mine.failed"]) for row in signals] == [(7, 0)] * 3 + [(None, 1)] * len(
        FAULTS
    )
    decisions = workspace.decisions().to_table().to_pylist()
    assert all(not row["kept"] and "mine.failed.max" in row["failed_rules"] for row in decisions[3:])
    quarantined = sorted(sample_quarantine(workspace, 99), key=lambda row: row["offset"])
    assert len(quarantined) == len(FAULTS) and quarantined[0]["offset"] > 0
    for row, (reason, error) in zip(quarantined, FAULTS.values(), strict=True):
        assert (row["reason"], row["step"], row["file"]) == (reason, "mine", "t.jsonl")
        assert error in row["error"]
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
    "import re; re.match('(a+)+$', 'a' * 40 + 'b')": ("time", "mine:Mine has given no record for 5 s"),
    "import os; os._exit(5)": ("crash", "mine:Mine: its process ended with status 5"),
    "import sys; sys.exit('no')": ("damaged", "SystemExit: no"),
    "yield Record(native_id='7', file=file, offset=2**70, length=1, body=b'x')": (
        "damaged",
        "whose offset is 1180591620",
    ),
    "from corpus import Failure; yield Failure(file=file, offset=0, length=0, step='read', error=ValueError('x'))": (
        "damaged",
        "mine:Mine yields a Failure whose error is ValueError",
    ),
}


def test_what_a_source_cannot_read_is_quarantined(one_text: Write, corpus: Run) -> None:
    folder = one_text(SOURCE, QUICK, kind="mine:Mine")
    code = SOURCE + RECORD.replace(
        "b'The river rises in the north.'", "f'The river of {file} rises.'.encode()"
    )
    code += "\n        print('noise')\n"
    for number, fault in enumerate(SOURCE_FAULTS):
        code += f"        if file == 't{number}.jsonl':\n            {fault}\n"
        (folder / f"t{number}.jsonl").write_text("x")
    (folder / "t.jsonl").unlink()
    (folder / "mine.py").write_text(code)
    manifest = (folder / "m.yaml").read_text().replace("t.jsonl", "'*.jsonl'")
    (folder / "m.yaml").write_text(manifest)
    done = corpus(folder, *BUILD, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"]["rows"] == len(SOURCE_FAULTS)
    quarantined = {row["file"]: row for row in sample_quarantine(public.open(str(folder / "out")), 99)}
    assert len(quarantined) == len(SOURCE_FAULTS)
    for number, (reason, error) in enumerate(SOURCE_FAULTS.values()):
        row = quarantined[f"t{number}.jsonl"]
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
    rows = sample_quarantine(public.open(str(folder / "out")), 9)
    errors = {(row["step"], row["error"]) for row in rows}
    assert errors == {
        ("extract", "mine:Mine failed: ValueError: no"),
        ("language", "mine:Named failed: ValueError: who knows"),
    }


def test_a_plugin_that_hangs_while_it_is_loaded_is_refused(one_text: Write, corpus: Run) -> None:
    folder = one_text("import time; time.sleep(60)", "filters: [mine:Mine]", QUICK)
    done = corpus(folder, "plan", "m.yaml", "--plugins", ".")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "mine:Mine: no answer within 5 s" in line


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("while True: pass", "mine:Mine: more than 12 s of processor time"),
        ("import os; os._exit(3)", "mine:Mine: the parser ended with status 3"),
        (
            SOURCE + "yield\n    def plan(self, path, size, split_size): return [(0, 'x')]",
            "`plan` must return byte ranges",
        ),
        (
            SOURCE + "yield\n    def plan(self, path, size, split_size): return [(0, 1), (0, 1)]",
            "returns a range twice",
        ),
        (
            SOURCE + "yield\n    def plan(self, path, size, split_size): raise OSError('gone')",
            "OSError: gone",
        ),
        (
            SOURCE + "yield\n    def parameters(self): return {1, 2}",
            "mine:Mine: `parameters` failed: TypeError",
        ),
        (
            SOURCE + "yield\n    def prepare(self, say): raise SystemExit(3)",
            "mine:Mine failed: SystemExit: 3",
        ),
        (SOURCE + "yield\n    version: ClassVar[int] = 2", "`version` of a source is a classmethod"),
    ],
)
def test_a_source_that_fails_before_it_reads_is_refused(
    code: str, message: str, one_text: Write, corpus: Run
) -> None:
    done = corpus(one_text(code, kind="mine:Mine"), *BUILD)
    assert done.returncode == 2 and done.stdout == "", done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("corpus: m.yaml:3: sources.s") and message in line


def test_what_a_source_prints_while_it_plans_is_not_the_commands(one_text: Write, corpus: Run) -> None:
    code = f"import os; os.system('echo noise')\n{SOURCE}print('noise'); {RECORD}\n"
    code += (
        "    def plan(self, path, size, split_size):\n        print('noise')\n        return [(0, size)]\n"
    )
    done = corpus(one_text(code, kind="mine:Mine"), *BUILD, "--json")
    assert json.loads(done.stdout)["train"]["rows"] == 1


def test_halves_of_pairs_in_a_record_are_replaced(one_text: Write, corpus: Run) -> None:
    record = (
        "Record(native_id=file, file=file, offset=0, length=1, body=b'The river rises.', snapshot='\\ud800'"
    )
    folder = one_text(
        SOURCE + f"yield {record}, license='\\udfff', metadata={{'\\ud800': 'x'}})", kind="mine:Mine"
    )
    done = corpus(folder, *BUILD)
    assert done.returncode == 0, done.stderr


def test_an_edit_within_one_process_is_measured_and_not_taken_from_what_was_loaded(one_text: Write) -> None:
    folder = one_text(FILTER + "return [1]", "filters: [mine_edited:Mine]")
    (folder / "mine.py").rename(folder / "mine_edited.py")
    code = (
        "import sys; from pathlib import Path\nfrom corpus import plugins\n"
        "from corpus.pipelines.beam.options import Running\nfrom corpus.pipelines.build.build import build_workspace\n"
        "plugins.add_folders(['.'])\n"
        "for value in (1, 2):\n"
        "    path = Path('mine_edited.py')\n"
        "    path.write_text(path.read_text().replace('return [1]', f'return [{value}]'))\n"
        "    built = build_workspace('m.yaml', 'out', Running())\n"
        "    print(built.signals('mine').to_table()['mine.one'].to_pylist())\n"
    )
    shown = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
    )
    assert shown.stdout.splitlines()[-2:] == ["[1.0, 1.0, 1.0]", "[2.0, 2.0, 2.0]"]


def test_a_document_that_filters_fail_on_counts_once(one_text: Write, corpus: Run) -> None:
    code = (
        FILTER
        + "if '今天' in page.text: raise ValueError('x')\n        return [1]\nclass Other(Mine): step = 'other'\n"
    )
    folder = one_text(code, "filters: [mine:Mine, mine:Other]", "max_failures: 0.3")
    done = corpus(folder, *BUILD)
    assert done.returncode == 1
    assert "1 of 3 records (33.3%) are in quarantine, over max_failures 0.3" in done.stderr
    one_text(code, "filters: [mine:Mine, mine:Other]", "max_failures: 0.4")
    assert corpus(folder, *BUILD).returncode == 0


def test_a_long_text_of_a_small_input_is_measured(one_text: Write, corpus: Run) -> None:
    """`max_bytes` limits input; what is extracted has its own limit."""
    code = (
        f"{FILTER}return [len(page.text)]\nclass Long:\n    version = 1\n    media_types = ('text/plain',)\n"
    )
    code += "    def extract(self, record): return 'Rivers rise. ' * 500\n"
    folder = one_text(code, "filters: [mine:Mine]", "extraction: {mode: 'mine:Long', max_bytes: 1KB}")
    assert corpus(folder, *BUILD).returncode == 0
    values = public.open(str(folder / "out")).signals("mine").to_table()["mine.one"].to_pylist()
    assert set(values) == {6499.0} or set(values) == {6500.0}


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
