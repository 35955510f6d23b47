"""A step's documents are those whose tokens it read; the curves are those of the log."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from corpus.errors import UserError
from corpus.inference.trace import read_pieces, trace_step
from corpus.inspect.curve_data import MAX_CURVE_POINTS, Chart, Curve, build_charts, thin_curve
from corpus.inspect.curves import draw_panel
from corpus.pipelines.cli.plot import plot
from corpus.pipelines.cli.trace import trace as command
from corpus.trainer import loop
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader
from tests.trainer.running import QUIET, log
from tests.trainer.sentences import small_run


@pytest.fixture(scope="module")
def run(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace") / "run"
    loop.train(small_run(workspace, steps=40, evaluate_every=10), folder, device="cpu", console=QUIET)
    return folder


def test_every_token_of_a_step_belongs_to_the_documents_that_are_named(run: Path, workspace: Path) -> None:
    """Their tokens, read from the shards by pyarrow and put one after the other, hold the step's windows."""
    dataset = open_dataset(str(workspace))
    texts: dict[str, list[int]] = {}
    for entry in dataset.shards:
        if entry.split == "train":
            table = pa.ipc.open_file(str(dataset.folder / entry.path)).read_all()
            texts |= {row["doc_id"]: row["tokens"] for row in table.to_pylist()}
    loader = Loader(dataset, context=24, seed=0)
    for step in (1, 7, 40):
        _, found = read_pieces(run, step)
        batch = loader.read(4 * (step - 1), 4 * step)
        for number, window in enumerate(batch.tokens):
            mine = [piece for piece in found if piece.sample == 4 * (step - 1) + number]
            assert sum(piece.tokens for piece in mine) == batch.lengths[number]
            together = [token for piece in mine for token in texts[piece.document]]
            places = np.lib.stride_tricks.sliding_window_view(together, int(batch.lengths[number]))
            assert (places == window[: batch.lengths[number]]).all(axis=1).any()
            inner = mine[1:-1]
            assert all(piece.tokens == len(texts[piece.document]) for piece in inner)


def test_steps_that_a_run_does_not_have_are_refused(run: Path) -> None:
    with pytest.raises(UserError, match=r"--step 41: .* has 40 steps"):
        trace_step(run, 41)
    with pytest.raises(UserError, match="--step 0: the first step is 1"):
        trace_step(run, 0)


def test_a_run_of_minutes_has_the_steps_of_its_log(workspace: Path, tmp_path: Path) -> None:
    config = small_run(workspace, steps=None, minutes=0.005)
    result = loop.train(config, tmp_path / "run", device="cpu", console=QUIET)
    assert read_pieces(tmp_path / "run", result.step)[1]
    with pytest.raises(UserError, match=rf"has {result.step:,} steps"):
        read_pieces(tmp_path / "run", result.step + 1)


def test_documents_that_are_gone_are_still_named_by_id(run: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    out = CliRunner().invoke(app, [str(run), "--step", "3"], catch_exceptions=False).stdout
    assert "no longer in the workspace" in out
    assert "step 3: 100 tokens from" in out
    lines = CliRunner().invoke(app, [str(run), "--step", "3", "--json"], catch_exceptions=False).stdout
    assert {json.loads(line)["url"] for line in lines.splitlines()} == {None}
    assert sum(json.loads(line)["tokens"] for line in lines.splitlines()) == 100


def test_charts_hold_what_the_log_holds(run: Path) -> None:
    found = {chart.title: chart for chart in build_charts(run)}
    entries = log(run)
    assert found["training loss"].curves[0].values == [e["loss"] for e in entries if e["kind"] == "step"]
    bits = {curve.name: curve for curve in found["bits per byte on validation"].curves}
    assert bits.keys() == {"all", "arb_Arab", "cmn_Hans", "eng_Latn", "rus_Cyrl", "tha_Thai"}
    assert bits["all"].steps == [10, 20, 30, 40]
    read = found["tokens read, by source and language"].curves
    assert sum(curve.values[-1] for curve in read) == 40 * 96


def test_long_curves_are_thinned_to_means() -> None:
    steps = list(range(1, 10 * MAX_CURVE_POINTS + 4))
    curve = thin_curve("loss", steps, [float(step) for step in steps])
    assert len(curve.steps) <= MAX_CURVE_POINTS
    assert curve.values[0] == np.mean(steps[: curve.steps[0]])
    assert curve.steps[-1] == steps[-1]
    assert np.average(curve.values, weights=np.diff([0, *curve.steps])) == pytest.approx(np.mean(steps))


def test_a_log_that_is_none_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run: `corpus train WORKSPACE"):
        build_charts(tmp_path)
    lines = (run / "log.jsonl").read_text()
    (tmp_path / "log.jsonl").write_text(lines + '{"kind": "st')
    assert build_charts(tmp_path) == build_charts(run), "a line that is being written is left out"
    (tmp_path / "log.jsonl").write_text("junk\n" + lines)
    with pytest.raises(UserError, match="line 1: not a line of a run's log"):
        build_charts(tmp_path)


@pytest.mark.parametrize("count", [2, 21, 60])
def test_the_legend_of_a_picture_covers_no_curve(count: int) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    figure, axis = pyplot.subplots(figsize=(8, 3.6), layout="constrained")
    curves = [Curve(name=f"web/q{n:02}_Latn", steps=[1, 50], values=[9.0, float(n)]) for n in range(count)]
    draw_panel(axis, Chart(title="bits per byte", unit="", curves=curves))
    figure.canvas.draw()
    assert axis.get_legend().get_window_extent().x0 >= axis.get_window_extent().x1
    assert axis.get_legend().get_window_extent().x1 <= figure.bbox.x1 + 1
    pyplot.close(figure)


def test_curves_become_a_page_and_a_picture(run: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(plot)
    page, picture = tmp_path / "c.html", tmp_path / "c.png"
    CliRunner().invoke(app, [str(run), "--out", str(page), "--out", str(picture)], catch_exceptions=False)
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    raw = text.split('id="data">')[1].split("</script>")[0]
    assert [chart["title"] for chart in json.loads(raw)["charts"]] == [
        chart.title for chart in build_charts(run)
    ]
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    assert (width, height) > (1000, 1000)
    with pytest.raises(UserError, match=r"the file name must end in \.html or \.png"):
        plot(str(run), [str(tmp_path / "c.pdf")])
