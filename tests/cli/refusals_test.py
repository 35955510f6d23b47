"""Options that would be ignored are refused, languages are taken by any name, and pipes may close."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import corpus
from corpus.errors import RunError, UserError
from corpus.inspect.known import suggest_languages_held
from corpus.languages.names import normalize_label, suggest_nameable
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import describe_unnameable, make_plan
from corpus.pipelines.build.redecide import change_bounds
from corpus.pipelines.cli.decide import decide
from corpus.pipelines.cli.evaluate import evaluate
from corpus.pipelines.cli.export import export
from corpus.pipelines.cli.generate import generate
from corpus.pipelines.cli.sample import sample
from corpus.pipelines.cli.stats import stats
from corpus.pipelines.cli.train import train
from corpus.pipelines.cli.verify import verify
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def demo() -> Path:
    return demo_workspace()


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [
        (
            sample,
            "--quarantine --html p.html",
            "--html has no effect with --quarantine: leave one of them out",
        ),
        (
            sample,
            "--reason crash --dropped --rule a",
            "--dropped, --rule have no effect with --reason: leave",
        ),
        (sample, "--json --html p.html", "--json has no effect with --html: leave"),
        (
            sample,
            "--cluster 00 --source web -n 9",
            "--source, --documents have no effect with --cluster: leave",
        ),
        (sample, "--id 00 --dropped", "--dropped has no effect with --id: leave"),
        (verify, "--manifest m.yaml --seed 3", "--manifest, --seed have no effect with no --rebuild: leave"),
        (decide, "--set a.b.min=1 -n 9", "--samples has no effect with no --what-if: leave"),
        (stats, "--json --csv --by rule", "--csv has no effect with --json: leave"),
        (stats, "--csv --by rule --limit 3", "--limit has no effect with --csv: leave"),
        (evaluate, "--field body", "--field has no effect with no FILE: leave"),
        (evaluate, "a.txt --tokens 9", "--tokens has no effect with FILE: leave"),
        (generate, "--top-p 0", "--top-p 0 leaves no token to choose: "),
        (
            generate,
            "--temperature 0 --top-k 5",
            "--top-k has no effect with --temperature 0, which always takes the ",
        ),
        (train, "--clip 0", "--clip 0 would scale every gradient to nothing: "),
        (train, "--schedule cosine --decay 0.2", "--decay has no effect with --schedule cosine: leave"),
    ],
)
def test_options_without_effect_are_refused(command: Callable[..., Any], arguments: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        run(command, "nowhere", *arguments.split())
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_a_language_goes_by_all_its_names(demo: Path) -> None:
    by_name = [run(sample, str(demo), "--json", "--language", name) for name in ("cmn", "zh", "zho", "ZH")]
    assert by_name[0] and by_name == by_name[:1] * 4
    hant = [run(sample, str(demo), "--json", "--language", name) for name in ("cmn_Hant", "zh-Hant", "zh-TW")]
    assert hant[0] and hant == hant[:1] * 3 and hant[0] != by_name[0]
    assert corpus.sample(demo, 2, language="th") == corpus.sample(demo, 2, language="tha_Thai")
    for name in ("Chinese", "chinese"):
        with pytest.raises(
            UserError, match=rf"--language: '{name}' is not a language: did you mean cmn \(Chinese\)\?"
        ):
            run(sample, str(demo), "--language", name)
    with pytest.raises(UserError, match=r"^no language fro: "):
        run(sample, str(demo), "--language", "fo" if normalize_label("fo") == "fro" else "fro")


def test_rules_by_language_go_by_all_its_names(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "河"}\n')
    manifest = tmp_path / "m.yaml"
    text = "name: a\nsources:\n  a: {kind: jsonl, paths: [in.jsonl], rules: [gopher_quality]}\nrules: {languages: %s}\n"
    manifest.write_text(text % "{zh: {gopher.words: {min: 7}}}")
    plan = make_plan(str(manifest))
    assert (
        plan.rules.rules
        == make_plan(_rewrite(manifest, text % "{cmn: {gopher.words: {min: 7}}}")).rules.rules
    )
    for name in ("cmn", "zho", "zh"):
        changed = change_bounds(plan.file, {f"gopher.words.min@{name}": 3.0}).manifest.rules["languages"]
        assert changed == {"cmn": {"gopher.words": {"min": 3.0}}}
    for languages, line in (
        ("{chinese: {gopher.words: {min: 7}}}", "'chinese' is not a language: did you mean cmn"),
        (
            "{zh: {gopher.words: {min: 7}}, cmn: {gopher.words: {min: 8}}}",
            "'cmn' and 'zh' are one language, cmn: leave one out",
        ),
    ):
        with pytest.raises(UserError, match=f"m.yaml:4: rules.languages.*: {line}"):
            make_plan(_rewrite(manifest, text % languages))
    with pytest.raises(
        UserError, match=r"gopher.words.min@thai: 'thai' is not a language: did you mean tha \(Thai\)"
    ):
        change_bounds(plan.file, {"gopher.words.min@thai": 3.0})


def _rewrite(manifest: Path, text: str) -> str:
    manifest.write_text(text)
    return str(manifest)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Chinese", "did you mean cmn (Chinese)?"),
        ("traditional chinese", "did you mean cmn_Hant (Chinese)?"),
        ("Portugese", "did you mean por (Portuguese)?"),
        ("serbian (cyrillic)", "did you mean srp_Cyrl (Serbian)?"),
        ("norwegian", "did you mean nno (Norwegian Nynorsk) or nob (Norwegian Bokmål)?"),
        ("zzz", "say eng_Latn, cmn_Hans, or a code such as eng"),
        ("zzz_Deva", "say eng_Latn, cmn_Hans, or a code such as eng"),
        ("jp", "did you mean jpn (Japanese)?"),
        ("jpm", "did you mean jpn (Japanese)?"),
        ("thai_Thai", "did you mean tha (Thai)?"),
        ("xx", "say eng_Latn, cmn_Hans, or a code such as eng"),
        ("中文", "did you mean cmn (Chinese)?"),
        ("Deutsch", "did you mean deu (German)?"),
        ("Русский", "did you mean rus (Russian)?"),
    ],
)
def test_what_is_no_language_gets_the_one_that_was_meant(name: str, advice: str) -> None:
    with pytest.raises(ValueError) as error:
        normalize_label(name)
    assert str(error.value) == f"{name!r} is not a language: {advice}"


def test_languages_that_no_text_is_identified_as_get_a_line(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("河\n")
    text = (
        "name: a\nlanguages: [tha,\n  zzj, zh, code]\nvalidation: {languages: {xho: 0.1, tgx: 0.2}}\n"
        "rules: {languages: {xog: {text.words: {min: 3}}}}\nsources:\n  a: {kind: text, paths: [in.txt]%s}\n"
    )
    plan = make_plan(_rewrite(tmp_path / "m.yaml", text % ""))
    said = [line.rpartition("/")[2].partition(" by ")[0] for line in describe_unnameable(plan.file)]
    assert said == [
        "m.yaml:3: languages[1]: no text is identified as zzj",
        "m.yaml:5: rules.languages.xog: no text is identified as xog",
        "m.yaml:4: validation.languages.tgx: no text is identified as tgx",
    ]
    stated = make_plan(_rewrite(tmp_path / "m.yaml", text % ", language: zzj"))
    assert [line.split()[1] for line in describe_unnameable(stated.file)] == [
        "rules.languages.xog:",
        "validation.languages.tgx:",
    ]
    assert suggest_nameable("tha_Thai") is None and suggest_nameable("code_python") is None


def test_a_finished_workspace_is_checked_against_another_bound_of_failures(tmp_path: Path) -> None:
    rows = '{"text": "长江是亚洲第一长河，发源于青藏高原。"}\n' * 3 + "not JSON\n"
    (tmp_path / "in.jsonl").write_text(rows, encoding="utf-8")
    text = "name: a\nsources:\n  a: {kind: jsonl, paths: [in.jsonl], rules: []}\n"
    manifest, out = tmp_path / "m.yaml", str(tmp_path / "out")
    build_workspace(_rewrite(manifest, text), out, Running())
    lines: list[str] = []
    build_workspace(_rewrite(manifest, f"{text}max_failures: 0.5\n"), out, Running(), lines.append)
    assert lines == ["nothing to do: the workspace is complete"]
    with pytest.raises(
        RunError, match=r"a: 1 of 4 records \(25.0%\) are in quarantine, over max_failures 0.1"
    ):
        build_workspace(_rewrite(manifest, f"{text}max_failures: 0.1\n"), out, Running())


def test_a_reader_that_goes_away_ends_a_look_and_no_work(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Волга течёт по равнине и впадает в Каспийское море у Астрахани. " * 9)
    manifest = _rewrite(
        tmp_path / "m.yaml", "name: a\nsources:\n  a: {kind: text, paths: [in.txt], rules: []}\n"
    )
    look = ["stats", str(demo), "--by", "rule,domain"]
    work = ["build", manifest, "--out", str(tmp_path / "out")]
    started = []
    for words in (look, work):
        both = subprocess.STDOUT if words is work else subprocess.PIPE
        process = subprocess.Popen(
            [sys.executable, "-m", "corpus.pipelines.cli", *words], stdout=subprocess.PIPE, stderr=both
        )
        assert process.stdout is not None
        process.stdout.close()
        started.append(process)
    said = started[0].stderr.read() if started[0].stderr else b""
    assert (started[0].wait(timeout=120), said) == (141, b"")
    assert started[1].wait(timeout=120) == 0
    assert corpus.open(str(tmp_path / "out")).tokens()["totals"]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("languages:\n  - tha\n  - zzz\n", "6: languages[1]: 'zzz' is not a language: say eng_Latn"),
        ("languages: zzz\n", "4: languages: 'zzz' is not a language: say eng_Latn"),
        (
            "languages: [hin, hin_Dvea]\n",
            "4: languages[1]: 'hin_Dvea' is not a language in a script: did you mean ",
        ),
        ("languages: [en,\n  no]\n", "5: languages[1]: no is not a language: write it in quotes"),
        (
            "languages: [zh,\n  ru,\n  cmn]\n",
            "6: languages[2]: 'cmn' and 'zh' are one language, cmn: leave one out",
        ),
        (
            "languages: [zzz,\n  aaj]\n",
            "4: languages[0]: 'zzz' is not a language: .*; 'aaj' is not a language: ",
        ),
        (
            "rules:\n  languages:\n    zzz: {text.words: {min: 2}}\n",
            "6: rules.languages.zzz: 'zzz' is not a language",
        ),
        (
            "validation:\n  languages:\n    rus: .1\n    zzz: .1\n",
            "7: validation.languages.zzz: 'zzz' is not a lang",
        ),
        (
            "validation:\n  languages:\n    hi: .1\n    hin: .1\n",
            "7: validation.languages.hin: 'hin' and 'hi' are one",
        ),
    ],
)
def test_every_key_that_takes_languages_refuses_unknown_ones_with_the_line(
    tmp_path: Path, keys: str, line: str
) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "река"}\n')
    text = f"name: a\nsources:\n  a: {{kind: jsonl, paths: [in.jsonl]}}\n{keys}"
    with pytest.raises(UserError) as refused:
        make_plan(_rewrite(tmp_path / "m.yaml", text))
    said = str(refused.value).rpartition("m.yaml:")[2]
    assert re.match(re.escape(line).replace(r"\.\*", ".*"), said) and said.count("(it is") == 0


def test_codes_that_are_assigned_are_languages() -> None:
    for name in ("aai_Latn", "ajp", "qaa", "qtz_Qabx", "zzj", "code_python", "zh-Hant", "fr-CA", "sr-ec"):
        assert normalize_label(name)
    for name in ("zzz", "qzz", "aaj", "tha_Zzyx", "und", None, False, 7):
        with pytest.raises(ValueError, match="is not a language"):
            normalize_label(name)


def test_every_option_that_takes_a_language_refuses_unknown_ones_alike(demo: Path, tmp_path: Path) -> None:
    refusal = "'zzz' is not a language: say eng_Latn, cmn_Hans, or a code such as eng"
    with pytest.raises(UserError, match=f"^--language: {refusal}"):
        run(sample, str(demo), "--language", "zzz")
    with pytest.raises(UserError, match=f"^--language: {refusal}"):
        run(export, str(demo), "--documents", "--out", str(tmp_path / "x"), "--language", "zzz")
    with pytest.raises(UserError, match=f"^gopher.words.min@zzz: {refusal}"):
        run(decide, str(demo), "--what-if", "gopher.words.min@zzz=3")


def test_a_language_that_a_workspace_lacks_gets_those_that_it_has() -> None:
    rows = {"cmn_Hans": 70, "nno_Latn": 3, "rus_Cyrl": 20, "ita_Latn": 9}
    counts = pa.table({"what": ["read"] * 4, "language": list(rows), "documents": list(rows.values())})
    most = "the workspace has documents in cmn_Hans (70), rus_Cyrl (20), ita_Latn (9), nno_Latn (3)"
    assert suggest_languages_held("tha", counts) == most
    assert suggest_languages_held("cmn_Hant", counts) == "did you mean cmn_Hans?"
    assert suggest_languages_held("nob", counts) == "did you mean nno_Latn?"
    assert suggest_languages_held("hin", counts.slice(0, 0)) == "the workspace has none"
