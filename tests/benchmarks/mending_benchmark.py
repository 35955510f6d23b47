"""What mode `resiliparse` costs beside the library alone, and how much of that is before anything is mended.

Each page goes through all of these, another one first each time, decoded once; milliseconds of this thread a page, and
their ratio to the library's.

- library: resiliparse's parse and main text, then `clean_text`
- query: the same with one query of the tree by as many selectors as mending needs, which finds nothing
- characters: the same with characters held that stand alone between tags, which it loses
- mended: these two, with all that the query finds mended (`corpus.extract.html.resiliparse_tree`)
- mode: the mode as it is, with wrapped lines of Chinese and Japanese joined

Pages: trafilatura's 502, and web-open.warc.gz's 2,094.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from corpus.extract.html.main_text import extract_main
from corpus.extract.html.resiliparse_tree import hold_single_characters, mend_page
from corpus.extract.plain_text import clean_text
from tests.benchmarks import bench
from tests.benchmarks.extraction_benchmark import read_folder, turned

ROUNDS = 3
NOTHING = ", ".join(f"x-none-{number}" for number in range(8))
"""As many selectors as those of `resiliparse_tree`, without their attributes and neighbours."""


def list_sides() -> dict[str, Callable[[str], object]]:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    def read(html: str, query: str = "", mend: bool = False) -> str:
        page = HTMLTree.parse(html)
        if query and page.body is not None:
            page.body.query_selector_all(query)[:]
        if mend:
            mend_page(page)
        return clean_text(
            extract_plain_text(page, main_content=True, alt_texts=False, links=False, comments=False)
        )

    return {
        "library": read,
        "query": lambda html: read(html, query=NOTHING),
        "characters": lambda html: read(hold_single_characters(html)),
        "mended": lambda html: read(hold_single_characters(html), mend=True),
        "mode": lambda html: extract_main(html, None, "resiliparse"),
    }


def measure(pages: list[str], sides: dict[str, Callable[[str], object]]) -> dict[str, float]:
    """Return the seconds of each side for all pages."""
    spent = dict.fromkeys(sides, 0.0)
    for at, page in enumerate(pages):
        for name in turned(list(sides), at):
            began = time.thread_time()
            sides[name](page)
            spent[name] += time.thread_time() - began
    return spent


def main() -> None:
    bench.parser(__doc__).parse_args()
    data, sides = bench.sample_data() / "html_gold", list_sides()
    table = Table(title=f"median of {ROUNDS} rounds")
    table.add_column("pages")
    for name in sides:
        table.add_column(name, justify="right")
    for folder in ("trafilatura", "web-open"):
        pages = [page.html for page in read_folder(data, folder).pages]
        gc.collect()
        gc.freeze()
        rounds = [measure(pages, sides) for _ in range(ROUNDS)]
        cells = []
        for name in sides:
            ratio = statistics.median(spent[name] / spent["library"] for spent in rounds)
            cost = statistics.median(spent[name] for spent in rounds) * 1e3 / len(pages)
            cells.append(f"{cost:.2f} ({ratio:.2f})")
        table.add_row(f"{folder}, {len(pages):,}", *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
