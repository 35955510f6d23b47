"""A wrong manifest gets one line: file, line, key, what to do."""

from __future__ import annotations

import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import filters, plugins
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml
from corpus.manifest import load_manifest
from corpus.pipelines.build.plan import check_models, make_plan
from corpus.pipelines.build.redecide import load_stored_manifest
from corpus.pipelines.context import Tools, manifest_from_json, manifest_to_json
from corpus.sources.inputs import list_files
from corpus.workspace import Workspace

GOOD = """\
name: demo
sources:
  web: {kind: warc, paths: ["crawl/*.warc.gz"]}
  mine:
    kind: jsonl
    paths: [docs.jsonl]
    fields: {text: body}
languages: [cmn_Hans, tha]
dedup: {minhash: {threshold: 0.8}}
tokenizer: {vocabulary: 32000}
mixture: {weights: {web: 3}}
"""


def write(folder: Path, text: str) -> str:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_only_name_and_sources_are_needed(tmp_path: Path) -> None:
    text = "name: 语料\n".replace("语料", "small") + "sources: {a: {kind: text, paths: [x.txt]}}\n"
    manifest = load_manifest(write(tmp_path, text)).manifest
    assert manifest.languages == "all"
    assert manifest.split_size == 16_000_000
    assert manifest.dedup.minhash is not None
    assert manifest.dedup.minhash.banding == (14, 8)
    assert manifest.sources["a"].rules == []


def test_the_resolved_manifest_shows_every_default_and_loads_again(tmp_path: Path) -> None:
    first = load_manifest(write(tmp_path, GOOD)).manifest
    again = load_manifest(write(tmp_path, first.model_dump_yaml())).manifest
    assert again == first
    assert "permutations: 112" in first.model_dump_yaml()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("languages:", "language:", ":8: language: unknown key: did you mean languages?"),
        ("languages:", "tokeniser:", ":8: tokeniser: unknown key: did you mean tokenizer or tokens?"),
        ("languages:", "zzzz:", ":8: zzzz: unknown key: choose from clean, decontaminate, dedup, "),
        ("threshold: 0.8", "treshold: 1", ":9: dedup.minhash.treshold: unknown key: did you mean threshold?"),
        (
            "kind: jsonl",
            "kind: jsonl\n    pats: x",
            ":6: sources.mine.pats: unknown key: did you mean paths?",
        ),
        ("{text: body}", "{txt: body}", ":7: sources.mine.fields.txt: unknown key: did you mean text"),
        ("name: demo", "name: demo\nname: x", ":2: name: this key stands twice (first on line 1)"),
        ("{text: body}", "{text: a, text: b}", ":7: sources.mine.fields.text: this key stands twice"),
        ("kind: jsonl", "kind: jsnl", ":5: sources.mine.kind: unknown kind 'jsnl': did you mean jsonl?"),
        ("    kind: jsonl\n", "", ":4: sources.mine: no `kind`"),
        ("vocabulary: 32000", "vocabulary: many", ":10: tokenizer.vocabulary: "),
        ("threshold: 0.8", "threshold: 8", ":9: dedup.minhash.threshold: "),
        ("vocabulary: 32000", "vocabulary: -3", "give a number of at least 257 (it is -3)"),
        ("vocabulary: 32000", "vocabulary: 1.5", "give a whole number (it is 1.5)"),
        ("name: demo", "name: 5", ":1: name: give text; in quotes, if it looks like a number"),
        ("name: demo", "name: [中文]", ":1: name: give text; in quotes"),
        (
            "name: demo",
            "name: demo\nsplit_size: много",
            ":2: split_size: give a size, such as 500kB, 64MB or 1GiB",
        ),
        ("name: demo", "name: demo\nsplit_size: 3XB", ":2: split_size: no such unit: give a size"),
        ("name: demo", "name: demo\nmax_failures: [1]", ":2: max_failures: give a number"),
        ("threshold: 0.8", "threshold: 0.8}, exact: {a: 1", "dedup.exact: say true or false"),
        ("dedup:", "validation: はい\ndedup:", "validation: a mapping is expected (it is 'はい')"),
        ("{web: 3}", "{wob: 3}", ":11: mixture.weights.wob: no such source: did you mean web?"),
        ("tokenizer: {vocabulary: 32000}", "tokenizer: gone.json", ":10: tokenizer: no such file: "),
        (
            "crawl/",
            "${NOT_SET_ANYWHERE}/",
            ":3: sources.web.paths[0]: the environment variable NOT_SET_ANYWHERE",
        ),
        (
            "[cmn_Hans, tha]",
            "[chinese]",
            ":8: languages[0]: 'chinese' is not a language: did you mean cmn (Chinese)?",
        ),
        ("name: demo\n", "", "name: this key is required"),
        ("mixture: {", "mixture: {{", "not YAML: "),
        ("demo", "'a/b'", ":1: name: 'a/b' is not a name"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_manifest(write(tmp_path, GOOD.replace(old, new, 1)))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "m.yaml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "a number") for name in ("2005", "007", "1.5", "1e5", "0x1F", "0b11", "inf", "NaN")),
        *((name, "a date") for name in ("2024-05-01", "2024.5.1", "1-5-2024", "20240501T030405", "epoch")),
        *((name, "true or false") for name in ("true", "False")),
    ],
)
def test_names_that_other_tools_read_as_no_text_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(UserError, match=f"{name} is {kind}.*call it s{name}"):
        load_manifest(
            write(tmp_path, GOOD.replace("  web:", f'  "{name}":').replace("{web: 3}", "{mine: 3}"))
        )


@pytest.mark.parametrize(
    "name", ["v2", "CC-MAIN-2024-10", "2024-05", "1.2.3", "5e", "info", "20240501-wiki", "truest"]
)
def test_other_names_with_digits_are_taken(tmp_path: Path, name: str) -> None:
    load_manifest(write(tmp_path, GOOD.replace("  web:", f'  "{name}":').replace("{web: 3}", "{mine: 3}")))


def test_environment_variables_are_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWL", "/archive")
    manifest = load_manifest(write(tmp_path, GOOD.replace("crawl/", "${CRAWL}/"))).manifest
    assert manifest.sources["web"].paths == ["/archive/*.warc.gz"]


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(UserError, match="too large"):
        load_manifest(write(tmp_path, "\n".join(lines)))


@settings(max_examples=200)
@given(text=st.text(alphabet=st.sampled_from("name: demo{}[]&*!|>-'\"#\n\t 语éก\x00%@`,?"), max_size=80))
def test_any_text_gives_a_manifest_or_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_manifest(str(path))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("数据", None),
        ("rows.jsonl", b'{"text": "a"}\n{"text": "b"}\n'),
        ("page.html", b"<html><p>hi"),
        ("crawl.warc.gz", b"\x1f\x8b\x08\x00"),
        ("table.csv", b"text,url\n"),
        ("one.jsonl", '{"text": "一", "url": "https://例.example/"}\n'.encode()),
    ],
)
def test_data_in_place_of_a_manifest_gets_the_command_that_writes_one(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        load_manifest(str(path))
    line = str(refused.value)
    assert line.startswith(f"{path}") and "\n" not in line
    assert f"`corpus init {shlex.quote(str(path))} --out first.yaml` writes one" in line


def test_a_manifest_that_is_not_there_gets_the_nearest_or_the_command_that_writes_one(tmp_path: Path) -> None:
    (tmp_path / "新闻.yaml").write_text(GOOD, encoding="utf-8")
    for name, advice in (
        ("新闻稿.yaml", f"did you mean {tmp_path}/新闻.yaml?"),
        ("新闻", f"did you mean {tmp_path}/新闻.yaml?"),
        ("wiki.yaml", f"`corpus init FOLDER --out {tmp_path}/wiki.yaml` writes one for the data in a folder"),
    ):
        with pytest.raises(UserError) as caught:
            load_manifest(str(tmp_path / name))
        assert str(caught.value) == f"{tmp_path / name}: there is no such manifest: {advice}"
    (tmp_path / "链接.yaml").symlink_to("/nowhere/m.yaml")
    with pytest.raises(
        UserError, match=r"链接\.yaml: .*: it is a link to /nowhere/m\.yaml, which is not there$"
    ):
        load_manifest(str(tmp_path / "链接.yaml"))


def test_a_workspace_in_place_of_a_manifest_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text("{}")
    with pytest.raises(UserError, match="is a workspace, not a manifest: give the YAML file"):
        load_manifest(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("name full\nsources:\n  a: 1\n", 1, "no colon behind the key: name full"),
        ("name 全部\n\n# a comment\nsources:\n  a: 1\n", 1, "no colon behind the key: name 全部"),
        ("name: a\nsources:\n  web\n    kind: warc\n", 3, "no colon behind the key: web"),
        ("name: a\nsources: x\nseed 3\n", 3, "no colon behind the key: seed 3"),
        ("name: a\nsources: x\nseed 3\nrules: {}\n", 3, "no colon behind the key: seed 3"),
        ("name: a: b\n", 1, "mapping values are not allowed here: a second colon"),
        ("name: a\nsources: [b\nrules: {}\nseed: 1\n", 2, "flow sequence that begins here"),
        ("name: 'a\nsources:\n  a: 1\n", 1, "quoted scalar that begins here"),
        ("name: a\n\tseed: 1\n", 2, "'\\t'"),
    ],
)
def test_the_line_that_is_wrong_is_named(text: str, line: int, problem: str) -> None:
    with pytest.raises(UserError) as raised:
        load_yaml(text, "m.yaml")
    assert str(raised.value).startswith(f"m.yaml:{line}: not YAML: ")
    assert problem in str(raised.value)


def test_a_key_that_is_for_training_alone_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("name: a\nsources:\n  c: {kind: jsonl, paths: [x]}\nmixture: {max_epochs: 4}\n")
    with pytest.raises(
        UserError, match=r"m.yaml:4: mixture.max_epochs: unknown key: .*`corpus train DIR --mixture FILE`"
    ):
        load_manifest(str(path))


@pytest.mark.parametrize("listed", ["filters: [a.b:Mine]", "filters:\n  a.b:Mine: {size: 3}"])
def test_a_bad_plugin_is_named_although_a_model_is_loaded_with_it(
    listed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("a", "w"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "b.py").write_text("def f(:")
    (tmp_path / "q.bin").write_bytes(b"")
    path = tmp_path / "m.yaml"
    path.write_text(
        f"name: a\nsources:\n  c: {{kind: jsonl, paths: [x]}}\nquality: {{model: q.bin}}\n{listed}\n"
    )
    monkeypatch.setattr(plugins, "_folders", [str(tmp_path)])
    monkeypatch.setattr("sys.path", [*sys.path, str(tmp_path)])
    loaded = filters.load_filter
    monkeypatch.setattr(
        filters,
        "load_filter",
        lambda step, given: loaded("url" if step == "quality" else step, {} if step == "quality" else given),
    )
    file = load_manifest(str(path))
    key = r"5: filters\[0\]" if "[" in listed else r"6: filters\.a\.b:Mine"
    with pytest.raises(UserError, match=rf"m\.yaml:{key}: a\.b:Mine cannot be imported: SyntaxError"):
        check_models(file, Tools(file.manifest))
        file.raise_mistakes()


def test_an_error_in_the_copy_of_a_manifest_names_the_original(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text("{}")
    lines = "name: a\nsources:\n  c: {kind: jsonl, paths: [x]}\nfilters: {nothere.at.all:Mine: {}}\n"
    (tmp_path / "manifest.yaml").write_text(lines)
    (tmp_path / "timings.json").write_text('{"runs": [{"manifest": "/home/анна/m.yaml"}]}')
    with pytest.raises(
        UserError, match=r"^/home/анна/m\.yaml: filters\..*--plugins DIR \(the workspace .* was built"
    ):
        load_stored_manifest(Workspace(str(tmp_path)))


WRONG = """\
name: wrong
lanugages: [cmn]
languages: [cmn_Hans, chinees, tha]
sources:
  web: {kind: wrac, paths: [a.warc.gz]}
  mine: {kind: jsonl, paths: [a.jsonl], fields: {txt: body}, rules: [finewb]}
  books: {kind: books, paths: [b.txt], unit: chapters}
keep_text: kep
extraction: {mode: precison}
dedup: {minhash: {bnads: 3, threshold: 8}}
clean: {repeats: [lines, paragraps]}
mixture: {weights: {web: 1, mnie: 2}}
"""


def test_every_mistake_is_named_at_once_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_manifest(write(tmp_path, WRONG))
    named = [str(mistake).removeprefix(str(tmp_path / "m.yaml")) for mistake in caught.value.all]
    expected = [
        ":2: lanugages: unknown key: did you mean languages?",
        ":3: languages[1]: 'chinees' is not a language: did you mean cmn (Chinese)?",
        ":5: sources.web.kind: unknown kind 'wrac': did you mean warc?",
        ":6: sources.mine.fields.txt: unknown key: did you mean text?",
        ":7: sources.books.unit: 'chapters' is not among its values: did you mean chapter?",
        ":8: keep_text: 'kep' is not among its values: did you mean kept?",
        ":9: extraction.mode: no such mode: did you mean precision? (it is 'precison')",
        ":10: dedup.minhash.threshold: give a number of at most 1 (it is 8)",
        ":10: dedup.minhash.bnads: unknown key: did you mean bands?",
        ":11: clean.repeats[1]: 'paragraps' is not among its values: did you mean paragraphs?",
        ":11: clean.repeats: nothing marks the repeated lines that it cuts: say `dedup: {lines: true}` too",
        ":12: mixture.weights.mnie: no such source: did you mean mine?",
    ]
    assert named == expected  # the weights of the sources that are wrong themselves are no mistakes
    assert [note.count(":") > 1 for note in caught.value.__notes__] == [True] * 11


ALL_CLASSES = """sources:
  甲: {kind: jsnl, paths: [甲.jsonl], priorty: 2, priority: high, rules: finewebb}
  b: {knid: jsonl, paths: gone.jsonl, redact: {emial: mask}}
  c: {kind: jsonl, paths: [ok.jsonl], bsae: x, rules: [fineweb, langauge]}
  d: {kind: jsonl, paths: [gone.jsonl], pattern: 1}
  e: 5
quality: {model: nomodel}
tokenizer: nope.json
rules:
  gopher.wrods: {min: 3, where: {sources: [b, e, q]}}
  gopher.words: {min: x}
  private.email: {max: 3}
  quality.score: {min: 0.5}
words: [nowords]
"""


def test_mistakes_of_every_class_come_in_one_run_and_none_that_follow_from_them(tmp_path: Path) -> None:
    (tmp_path / "ok.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(UserError) as caught:
        make_plan(write(tmp_path, ALL_CLASSES))
    named = [str(mistake).removeprefix(str(tmp_path / "m.yaml")) for mistake in caught.value.all]
    assert [line.replace(str(tmp_path), "HERE") for line in named] == [
        ":1: name: this key is required",
        ":2: sources.甲.kind: unknown kind 'jsnl': did you mean jsonl?",
        ":2: sources.甲.priorty: unknown key: did you mean priority?",
        ":2: sources.甲.priority: give a whole number (it is 'high')",
        ":2: sources.甲.rules: no rules named 'finewebb': did you mean fineweb?",
        ":2: sources.甲.paths[0]: no such file: 甲.jsonl (looked for HERE/甲.jsonl): did you mean ok.jsonl?",
        ":3: sources.b.knid: unknown key: did you mean kind?",
        ":3: sources.b.redact: no kind of private data is called 'emial': did you mean email?",
        ":3: sources.b.paths: no such file: gone.jsonl (looked for HERE/gone.jsonl): did you mean ok.jsonl?",
        ":4: sources.c.bsae: unknown key: did you mean base?",
        ":4: sources.c.rules[1]: no rules named 'langauge': did you mean language?",
        ":5: sources.d.pattern: unknown key: choose from base, clean, encoding, fields, kind, license, max_bytes, "
        "max_failures and 5 more",
        ":5: sources.d.paths[0]: no such file: gone.jsonl (looked for HERE/gone.jsonl): did you mean ok.jsonl?",
        ":6: sources.e: a source is a mapping with `kind` and `paths`",
        ":7: quality.model: no such file: HERE/nomodel",
        ":8: tokenizer: no such file: HERE/nope.json",
        ":10: rules.gopher.wrods: the signal gopher.wrods, which nothing computes: did you mean gopher.words or "
        "gopher.stop_words or gopher.hashes?",
        ":10: rules.gopher.wrods.where.sources[2]: no source named 'q': choose from b, c, d, 甲",
        ":11: rules.gopher.words.min: expected a number or `off`, not 'x'",
        ":14: words[0]: HERE/nowords: no such file",
    ]


def test_one_preset_may_stand_without_brackets(tmp_path: Path) -> None:
    one = load_manifest(
        write(tmp_path, "name: a\nsources: {w: {kind: jsonl, paths: m.jsonl, rules: fineweb}}\n")
    )
    assert one.manifest.sources["w"].rules == ["fineweb"]


RIGHT = "name: a\nsources: {mine: {kind: jsonl, paths: [m.jsonl]}, other: {kind: text, paths: [folder]}}\n"


@pytest.mark.parametrize(
    ("more", "messages"),
    [
        (
            "rules: {gohper.words: {min: 3}, gopher.words: {mni: 3}}",
            [":2: sources.other.paths[0]", "did you mean gopher.words", "did you mean min?"],
        ),
        (
            "rules: {words: {min: 3}}",
            [":2: sources.other.paths[0]", "did you mean gopher.words or text.words?"],
        ),
        (
            "rules: {gopher.words: {min: 1, where: {sources: [mnie]}}}\nkeep_text: 3",
            [":2: sources.other.paths[0]", "no source named 'mnie': did you mean mine?", ":4: keep_text: 3"],
        ),
        (
            "rules: {languages: {xzy: {}}, c4.sentences: {min: a}}",
            [":2: sources.other.paths[0]", "'xzy' is not a language", "expected a number"],
        ),
        ("filters: ['a:B']\nrules: {b.c: {min: 1}}", [":2: sources.other.paths[0]", ":3: filters[0]: "]),
    ],
)
def test_rules_and_files_are_looked_at_though_other_keys_are_wrong(
    tmp_path: Path, more: str, messages: list[str]
) -> None:
    (tmp_path / "m.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError) as caught:
        make_plan(write(tmp_path, RIGHT + more))
    assert len(caught.value.all) == len(messages), list(map(str, caught.value.all))
    for mistake, words in zip(caught.value.all, messages, strict=True):
        assert words in str(mistake)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "name: a\nsources: {w: {kind: jsonl, path: m.jsonl}}\n",
            ["2: sources.w.path: unknown key: did you mean paths?"],
        ),
        (
            "naem: a\nsources: {w: {knd: jsonl, paths: m.jsonl}}\n",
            ["1: naem: unknown key: did you mean name?", "2: sources.w.knd: unknown key: did you mean kind?"],
        ),
        (
            "name: a\nsources: {w: {kind: jsonl, paths: m.jsonl, rules: 5}}\nextraction: fast\nquality: 好.bin\n",
            [
                "2: sources.w.rules: a list is expected (it is 5)",
                "3: extraction: a mapping is expected (it is 'fast'): say {mode: fast}",
                "4: quality: a mapping is expected (it is '好.bin'): say {model: 好.bin}",
            ],
        ),
        (
            "name: a\nsources: {w: {kind: culturax, paths: m.parquet}}\nvalidation: some\nseed:\n",
            [
                "2: sources.w.kind: unknown kind 'culturax': it is a layout of rows: say `kind: parquet` (or jsonl) "
                "and `fields: culturax`",
                "3: validation: a mapping is expected (it is 'some')",
                "4: seed: give a whole number (it is empty)",
            ],
        ),
    ],
)
def test_what_was_meant_is_told_once_as_it_is_written(tmp_path: Path, text: str, lines: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        load_manifest(write(tmp_path, text))
    assert [str(each).removeprefix(f"{tmp_path}/m.yaml:") for each in caught.value.all] == lines


@pytest.mark.parametrize("mode", ["trafilatura", "Trafilatura"])
def test_the_name_of_a_library_is_answered_with_the_mode_in_which_it_reads(tmp_path: Path, mode: str) -> None:
    with pytest.raises(UserError) as caught:
        load_manifest(write(tmp_path, f"{RIGHT}extraction: {{mode: {mode}}}\n"))
    assert str(caught.value).endswith(
        "extraction.mode: no such mode: did you mean fast, in which trafilatura reads pages by its own rules? Else say "
        f"corpus, fast, precision, recall, resiliparse, or a plug-in, module:Class (it is '{mode}')"
    )


@pytest.mark.parametrize("command", [["plan"], ["build", "--out", "out"]])
def test_the_command_line_says_all_that_python_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """Keys, paths, rules, presets and models are all named at once, in the order of their lines."""
    monkeypatch.chdir(tmp_path)
    Path("文.yaml").write_text(
        "name: 文\nsurces: 3\nsources:\n  甲: {kind: jsonl, paths: [没有.jsonl]}\n"
        "  乙: {kind: jsonl, paths: [m.jsonl], rules: [fnieweb]}\n  丙: {kind: jsnol, paths: [m.jsonl]}\n"
        "rules: {gohper.words: {min: 3}}\n"
    )
    Path("m.jsonl").write_text('{"text": "春天来了"}\n')
    name, *options = command
    done = subprocess.run(
        [sys.executable, "-m", "corpus.pipelines.cli", name, "文.yaml", *options],
        capture_output=True,
        text=True,
    )
    with pytest.raises(UserError) as caught:
        make_plan("文.yaml")
    lines = [f"corpus: {mistake}" for mistake in caught.value.all]
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (2, "", lines)
    assert [line.split(": ")[1] for line in lines] == [f"文.yaml:{at}" for at in (2, 4, 5, 6, 7)]


def test_a_tokenizer_and_a_model_that_cannot_be_used_are_named_with_rules(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "t.json").write_text("{}")
    (tmp_path / "bad.ftz").write_bytes(b"x")
    text = (
        "name: a\nsources: {mine: {kind: jsonl, paths: [m.jsonl]}}\nidentification: {model: bad.ftz}\n"
        "tokenizer: {path: t.json}\nrules: {gohper.words: {min: 3}}\n"
    )
    with pytest.raises(UserError) as caught:
        make_plan(write(tmp_path, text))
    places = [str(mistake).partition("m.yaml:")[2][:2] for mistake in caught.value.all]
    assert places == ["3:", "4:", "5:"], caught.value.all


def test_a_folder_as_a_path_gets_the_globs_of_its_files(tmp_path: Path) -> None:
    for name in ("爬取/甲/1.jsonl.gz", "爬取/甲/2.jsonl.gz", "爬取/乙/说明.txt", "空/x/", "[1]/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            (tmp_path / name).write_bytes(b"")

    def explain(pattern: str) -> str:
        with pytest.raises(UserError) as caught:
            list_files([pattern], str(tmp_path))
        assert caught.value.path == ("paths", 0)
        return str(caught.value)

    is_folder = "is a folder: name the files in it: "
    assert explain("爬取") == f"爬取 {is_folder}爬取/**/*.jsonl.gz (2 files), 爬取/**/*.txt (1 file)"
    assert explain("爬取/甲/") == f"爬取/甲/ {is_folder}爬取/甲/*.jsonl.gz (2 files)"
    assert explain("[1]") == f"[1] {is_folder}[[]1]/*.txt (1 file)"
    assert explain("空") == "空 is a folder: there is no file in it"
    assert explain("爬取/*").startswith("爬取/* names 2 folders and no file: name the files in it: 爬取/*/*.")
    assert explain("no/*") == f"no such file: no/* (looked for {tmp_path}/no/*)"
    (tmp_path / "爬取" / "链接.jsonl").symlink_to("/nowhere/x")
    assert explain("爬取/链接.jsonl").endswith(": it is a link to /nowhere/x, which is not there")
    assert explain("爬取/*.jsonl") == f"no such file: 爬取/*.jsonl (looked for {tmp_path}/爬取/*.jsonl)"
    assert explain("爬取/甲/1.json.gz").endswith("爬取/甲/1.json.gz): did you mean 爬取/甲/1.jsonl.gz?")
    assert explain("爬取/甲/说明书") == f"no such file: 爬取/甲/说明书 (looked for {tmp_path}/爬取/甲/说明书)"
    assert [file.name for file in list_files(["[[]1]/*.txt"], str(tmp_path))] == ["[1]/a.txt"]


@pytest.mark.parametrize("name", ["数据", "ข้อมูล", "हिन्दी-1", "وثائق", "журнал_2", "café", "語" * 64, "a.b"])
def test_names_are_of_any_script(tmp_path: Path, name: str) -> None:
    manifest = load_manifest(
        write(tmp_path, GOOD.replace("mine:", f"{name}:").replace("demo", name))
    ).manifest
    assert manifest.name == name and list(manifest.sources) == ["web", name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *(
            (name, "is not a name")
            for name in ("a b", "甲/乙", "甲 乙", "์ก", "甲\u200b", "a|b", "語" * 65, "甲。", ".a")
        ),
        ("cafe\u0301", "as one letter each (NFC) it is café"),
        ("𠀀" * 50, "at most 192 bytes"),
    ],
)
def test_names_that_paths_or_readers_confuse_are_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_manifest(write(tmp_path, GOOD.replace("demo", f'"{name}"')))
    assert message in str(caught.value)


def test_a_manifest_of_code_is_written_without_a_warning(tmp_path: Path) -> None:
    text = (
        "name: a\nsources: {code: {kind: code, paths: [a]}, more: {kind: code, paths: [b], redact: false}}\n"
    )
    manifest = load_manifest(write(tmp_path, text)).manifest
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dumped = manifest.dump()
        assert manifest_from_json(manifest_to_json(manifest)).dump() == dumped
    assert [source["redact"] for source in dumped["sources"].values()] == [True, False]
    assert list(dumped) == list(type(manifest).model_fields)


def test_a_variable_that_is_not_set_is_one_mistake(tmp_path: Path) -> None:
    for old, new in (
        ("crawl/", "${NOT_SET_ANYWHERE}/"),
        ("{vocabulary: 32000}", "${NOT_SET_ANYWHERE}/t.json"),
    ):
        with pytest.raises(UserError) as caught:
            make_plan(write(tmp_path, GOOD.replace(old, new, 1)))
        assert [str(each).partition(": the ")[2] for each in caught.value.all if "NOT_SET" in str(each)] == [
            "environment variable NOT_SET_ANYWHERE is not set"
        ]


@pytest.mark.parametrize("text", ["", "# 空\n", "- a\n- b\n", "текст\n"])
def test_an_empty_manifest_is_no_data_to_look_at(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_manifest(str(path))
    assert "`corpus init FOLDER --out first.yaml` writes one" in str(caught.value)
    assert ("the file is empty" in str(caught.value)) == (text in ("", "# 空\n"))


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("null", "and YAML reads null as nothing: write 'null' in quotes"),
        ("~", "and YAML reads ~ as nothing: write '~' in quotes"),
        ("2024-01-01", "and YAML reads 2024-01-01 as a date: write '2024-01-01' in quotes"),
        ("[中, 文]", "not a list"),
        ("? {а: 1}\n  ", "not a mapping"),
    ],
)
def test_a_key_that_is_no_text_is_named_with_its_place(tmp_path: Path, key: str, what: str) -> None:
    path = write(tmp_path, f"name: a\nsources:\n  {key}: {{kind: jsonl, paths: m.jsonl}}\n")
    with pytest.raises(UserError) as caught:
        load_manifest(path)
    assert str(caught.value) == f"{path}:3: sources: a key must be plain text, {what}"
