"""Where plug-ins and data files of a user's are found, and what their hash covers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corpus import data, plugins
from corpus.errors import UserError
from corpus.rules.presets import list_presets, read_preset
from corpus.text.conventions import conventions, language_files
from tests.plugins.conftest import Run


@pytest.fixture
def own() -> Iterator[None]:
    """Forget the user's own files after the test."""
    yield
    data.use_own_files({})


def test_the_hash_covers_all_files_of_a_package_but_compiled_and_hidden_ones(tmp_path: Path) -> None:
    package = tmp_path / "lab"
    (package / "inner").mkdir(parents=True)
    for name, text in (("__init__.py", ""), ("one.py", "x = 1"), ("inner/words.txt", "字")):
        (package / name).write_text(text)
    first = plugins.hash_code(str(package))
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "one.pyc").write_text("compiled")
    (package / ".one.py.swp").write_text("editor")
    assert plugins.hash_code(str(package)) == first
    (package / "inner" / "words.txt").write_text("词")
    assert plugins.hash_code(str(package)) != first
    (package / "inner" / "words.txt").write_text("字")
    (package / "one.py").rename(package / "two.py")
    assert plugins.hash_code(str(package)) != first


def test_a_moved_lexicon_is_the_same_and_an_edited_one_is_not(tmp_path: Path) -> None:
    from corpus.filters.plugin_filter import hash_files

    hashes = []
    for folder, words in (("one", "字"), ("two", "字"), ("three", "词")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.txt").write_text(words, encoding="utf-8")
        hashes.append(hash_files({"path": str(tmp_path / folder / "words.txt"), "name": "words.txt"}))
    assert hashes[0] == hashes[1] != hashes[2] and hashes[0]["name"] == "words.txt"


@pytest.mark.parametrize("name", ["mine", "a.b:C", "größe:Maß", "模块:类"])
def test_a_name_that_may_be_a_plugin(name: str) -> None:
    assert plugins.REFERENCE_PATTERN.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["", "a b:C", "a:", ":C", "a/b:C", "s3://x", "a:B:C", "1a:C", "a..b:C", "-m:C"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert not plugins.is_reference(name)
    with pytest.raises(UserError, match="is not a plug-in: it is written module:Class"):
        plugins.find_plugin(name, "source")


def test_installed_modules_are_found_by_name_without_being_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from corpus import plugins\n"
        "plugin = plugins.find_plugin('inscriptis.html_engine:Inscriptis', 'filter')\n"
        "print(plugin.root.endswith('inscriptis'), len(plugin.code), 'inscriptis' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert shown.stdout.split() == ["True", "32", "False"]


def test_an_installed_package_gives_short_names(tmp_path: Path, corpus: Run) -> None:
    """A package with entry points, installed as pip installs it: its folder and its metadata on the path."""
    site = tmp_path / "site"
    info = site / "mylab-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mylab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[corpus.sources]\nlines = mylab:Lines\n\n[corpus.filters]\nlength = mylab:Length\n\n"
        "[corpus.extractors]\nshout = mylab:Shout\n"
    )
    (site / "mylab.py").write_text(
        "from corpus import Record, Source\n"
        "class Lines(Source):\n"
        "    def read(self, path, file, start, end):\n"
        "        for at, line in enumerate(open(path, 'rb')):\n"
        "            yield Record(native_id=f'{file} {at}', file=file, offset=at, length=1, body=line)\n"
        "class Length:\n    version = 1\n    signals = ('all',)\n"
        "    def measure(self, page):\n        return [len(page.text)]\n"
        "class Shout:\n    version = 1\n    media_types = ('text/plain',)\n"
        "    def extract(self, record):\n        return record.body.decode().strip().upper()\n"
    )
    (tmp_path / "t.txt").write_text("one two three\nпервый второй\n")
    (tmp_path / "m.yaml").write_text(
        "name: short\nsources: {s: {kind: lines, paths: t.txt, rules: []}}\nfilters: [length]\n"
        "extraction: {mode: shout}\ntokenizer: {vocabulary: 300}\nvalidation: {share: 0}\n"
    )
    done = corpus(tmp_path, "build", "m.yaml", "--out", "out", PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    shown = corpus(tmp_path, "sample", "out", "--json")
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {(row["text"], row["signals"]["length.all"]) for row in rows} == {
        ("ONE TWO THREE", 13.0),
        ("ПЕРВЫЙ ВТОРОЙ", 13.0),
    }
    wrong = corpus(tmp_path, "plan", "m.yaml")
    kind, step, mode = wrong.stderr.splitlines()
    assert kind.startswith("corpus: m.yaml:2: sources.s.kind: unknown kind 'lines'")
    assert step == (
        "corpus: m.yaml:3: filters[0]: length: no module named length is installed: install it, or name its folder "
        "with --plugins DIR"
    )
    assert mode.startswith("corpus: m.yaml:4: extraction.mode: no such mode: ")


def write(folder: Path, files: dict[str, str]) -> dict[str, str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return data.find_own_files([str(folder)])


def test_presets_of_a_users_own_stand_beside_those_of_corpus(tmp_path: Path, own: None) -> None:
    preset = "description: d\nsource: s\ninclude: [text_only]\nrules: {text.words: {min: 5}}\n"
    before = read_preset("text_only").rules
    data.use_own_files(write(tmp_path, {"rules/mine.yaml": preset}))
    assert "mine" in list_presets() and "fineweb" in list_presets()
    assert read_preset("mine").rules == {**before, ("text.words", "min"): 5.0}
    data.use_own_files({})
    assert "mine" not in list_presets()
    with pytest.raises(UserError, match="no rules named 'mine'"):
        read_preset("mine")


def test_presets_that_include_themselves_are_refused(tmp_path: Path, own: None) -> None:
    preset = "description: d\nsource: s\ninclude: [{}]\n"
    files = {"rules/one.yaml": preset.format("two"), "rules/two.yaml": preset.format("one")}
    data.use_own_files(write(tmp_path, files))
    with pytest.raises(UserError, match=r"rules/two\.yaml: one includes itself"):
        read_preset("one")


def test_a_language_of_a_users_own_takes_the_place_of_that_of_corpus(tmp_path: Path, own: None) -> None:
    shipped = conventions("tha_Thai")
    data.use_own_files(write(tmp_path, {"languages/tha.yaml": "stop_words: ที่ และ\n"}))
    assert len(conventions("tha_Thai").stop_words) == 2 < len(shipped.stop_words)
    data.use_own_files({})
    assert len(conventions("tha_Thai").stop_words) == len(shipped.stop_words)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("stop_words: a", "languages/thailand.yaml", "'thailand' is not a language"),
        ("[1]", "languages/tha.yaml", "a language file is a mapping"),
        ("stop_wrods: a", "languages/tha.yaml", "stop_wrods: unknown key"),
    ],
)
def test_a_wrong_language_file_is_one_line(
    text: str, name: str, message: str, tmp_path: Path, own: None
) -> None:
    data.use_own_files(write(tmp_path, {name: text}))
    with pytest.raises(UserError, match=message) as caught:
        language_files()
    assert name in str(caught.value)


def test_files_that_are_those_of_corpus_are_nobodys_own(tmp_path: Path) -> None:
    text = data.data_path("rules", "fineweb.yaml").read_text(encoding="utf-8")
    assert write(tmp_path, {"rules/fineweb.yaml": text, "rules/mine.yaml": "x"}) == {"rules/mine.yaml": "x"}


def test_a_mixture_by_name_and_its_copy_for_training(one_text: Callable[..., Path], corpus: Run) -> None:
    folder = one_text("", "mixture: mine")
    write(folder, {"mixtures/mine.yaml": "temperature: 0.4\n"})
    done = corpus(folder, "build", "m.yaml", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "temperature: 0.4" in (folder / "out" / "manifest.yaml").read_text()
    assert (folder / "out" / "mixtures" / "mine.yaml").read_text() == "temperature: 0.4\n"
    (folder / "mixtures" / "mine.yaml").write_text("max_epochs: 4\n")
    wrong = corpus(folder, "plan", "m.yaml")
    assert "m.yaml:6: mixture: mixtures/mine.yaml is for training alone" in wrong.stderr
    (folder / "mixtures" / "mine.yaml").unlink()
    assert "no mixture named 'mine': choose from balanced, gpt3" in corpus(folder, "plan", "m.yaml").stderr
