"""Make gold from manuals that come as HTML and as plain text: Debian's in Japanese, Korean, Russian, Chinese, others.

    apt-get download debian-faq-ja maint-guide-ja maint-guide-ru maint-guide-zh-cn maint-guide-zh-tw
    apt-get download installation-guide-amd64
    for file in *.deb; do dpkg-deb -x $file manuals; done
    python -m tests.benchmarks.manual_gold manuals/usr/share/doc --out manual-gold
    corpus model evaluate extractor corpus/extract/html/blocks/extractor.npz manual-gold

Every `*.txt.gz` below the folder is a twin of the pages of its language beside it (`maint-guide.ja.txt.gz` of
`html/*.ja.html`), or of all in a folder of the language's name (`ko/install.ko.txt.gz` of `ko/*.html`). The gold text
of a page is the lines of its twin that stand in the page: long ones anywhere, short ones between them. Scripts do not
matter, and no extractor is asked. The manuals stay where they are; none ships.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from lxml.html import fromstring

from corpus.extract.html.blocks.training.block_labels import MIN_LONG, squeeze
from corpus.formats.encodings import decode

MAX_SHORT_RUN = 8
"""Short lines in a row that may stand between two long ones of a page."""


def pair_pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Return pages with the text of their twin, in the order of their paths."""
    for twin in sorted(folder.rglob("*.txt.gz")):
        language = re.search(r"\.([a-z]{2}(?:[-_][A-Za-z]{2})?)\.txt\.gz$", twin.name)
        if language is None:
            continue
        text = decode(gzip.decompress(twin.read_bytes()))[0]
        inside = twin.parent.name == language[1]
        for page in sorted(twin.parent.rglob("*.html" if inside else f"*.{language[1]}.html")):
            yield page, text


def cut_gold(html: str, twin: str) -> str:
    """Return the lines of a twin that stand in a page; nothing if they are few."""
    page = squeeze(" ".join(fromstring(html.encode()).itertext()))
    lines = twin.split("\n")
    squeezed = [squeeze(line) for line in lines]
    long = [at for at, line in enumerate(squeezed) if len(line) >= MIN_LONG and line in page]
    if len(long) < 3:
        return ""
    kept = set(long)
    for before, after in pairwise(long):
        if after - before <= MAX_SHORT_RUN:
            kept.update(at for at in range(before, after) if squeezed[at] in page)
    return "\n".join(lines[at] for at in sorted(kept))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of gold to write")
    given = parser.parse_args()
    rows = []
    for page, twin in pair_pages(given.folder):
        html = decode(page.read_bytes(), None, html=True)[0]
        if gold := cut_gold(html, twin):
            place = page.relative_to(given.folder)
            name = page.name if page.name.count(".") > 1 else f"{page.stem}.{page.parent.name}.html"
            url = f"https://{place.parts[0]}.example/{name}"
            rows.append({"url": url, "html": html, "text": gold, "kind": "documentation"})
    given.out.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (given.out / "pages.jsonl").write_text("".join(lines), encoding="utf-8")
    print(f"{len(rows)} pages with gold in {given.out}")


if __name__ == "__main__":
    main()
