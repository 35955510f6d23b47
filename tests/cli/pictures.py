"""The pictures of the report in docs/images, from a workspace of the demo; needs Chromium and fonts for all its scripts
(Debian's fonts-noto-core and fonts-noto-cjk):

corpus build manifests/demo.yaml --out demo-workspace --workers 2
python -m tests.cli.pictures demo-workspace
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

import corpus
from corpus.inspect.report import write_report
from corpus.progress import last_run
from tests.cli.browser import take_picture, with_script

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "report-light": (1280, 1160, False),
    "report-dark": (1280, 1160, True),
    "report-wide": (1920, 1800, False),
    "report-narrow": (400, 1500, True),
    "report-rule-dark": (1600, 1210, True),
}
"""Name -> width, height, whether the screen is dark."""
RULES_ALONE = """
for (const part of document.querySelectorAll("body > nav, main > :not(#rules)")) part.style.display = "none";
document.getElementById("rules").firstChild.style.marginTop = "1rem";
for (const rule of [...document.querySelectorAll("details.rule[open]")].slice(2)) rule.open = false;
"""


def main() -> int:
    workspace = corpus.open(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        page, rules = Path(folder, "page.html"), Path(folder, "rules.html")
        write_report(workspace, str(page), last_run(workspace.path("timings.json")))
        rules.write_text(with_script(page.read_text(encoding="utf-8"), RULES_ALONE), encoding="utf-8")
        for name, (width, height, dark) in PICTURES.items():
            target = IMAGES / f"{name}.png"
            take_picture(rules if "rule" in name else page, target, width, height, dark)
            picture = Image.open(target).convert("RGB").crop((0, 0, width, height))
            picture.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
