"""Load and use once what a worker needs, and say so: run without a network while an image is made.

It names the file of whatever is loaded from outside the environment of the Python that runs it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import apache_beam
from apache_beam.runners.worker import sdk_worker

import corpus
from corpus.data import data_path
from corpus.environment import hash_package, list_versions
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace

TEXTS = {
    "eng": "The library keeps the letters of the families that lived on the hill for three hundred years.",
    "cmn": "图书馆保存着三百年来住在山上的家庭的信件。",
    "tha": "ห้องสมุดเก็บจดหมายของครอบครัวที่อาศัยอยู่บนเนินเขามาสามร้อยปี",
    "arb": "تحتفظ المكتبة برسائل العائلات التي عاشت على التل منذ ثلاثمائة سنة.",
}
MANIFEST = """\
name: start
sources:
  pages: {kind: html, paths: ["*.html"], rules: [gopher_quality, c4, fineweb, language]}
dedup: {minhash: {threshold: 0.7}}
tokenizer: {vocabulary: 400}
"""


def main() -> None:
    """Build four pages, in four scripts, from reading to tokens."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in TEXTS.items():
            page = f"<html><head><meta charset=utf-8><title>{name}</title></head><body><p>{text}</p></body></html>"
            (folder / f"{name}.html").write_text(page, encoding="utf-8")
        (folder / "m.yaml").write_text(MANIFEST, encoding="utf-8")
        workspace = build_workspace(str(folder / "m.yaml"), str(folder / "out"), Running())
        languages = {row["language"] for row in workspace.documents().to_table(["language"]).to_pylist()}
    spoken = {label.partition("_")[0] for label in languages if label}
    assert spoken == set(TEXTS), f"languages of the pages: {sorted(spoken)}"
    own = Path(sys.prefix).resolve()
    for module in (corpus, apache_beam, sdk_worker):
        file = Path(str(module.__file__)).resolve()
        assert file.is_relative_to(own), f"{file} is not in {own}"
    versions = list_versions()
    named = f"corpus {versions['corpusmill']} ({hash_package(data_path())}), Beam {apache_beam.__version__}"
    print(f"ready: {named}, Python {versions['Python']}")


if __name__ == "__main__":
    main()
