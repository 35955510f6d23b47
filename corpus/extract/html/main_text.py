"""Extract the main text of web pages with our own extractor, trafilatura or resiliparse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from corpus.document import Record
from corpus.extract import DEFAULT_MODE, EXTRACTION_MODES, ExtractedText
from corpus.extract.creative_commons import CREATIVE_COMMONS_HOST
from corpus.extract.html.pages_ahead import decode_page, prepare_page, take_ahead, walk_page
from corpus.extract.html.wrapped_lines import has_cjk_text, join_wrapped_lines
from corpus.extract.opt_outs import read_opt_outs
from corpus.extract.page_readers import PAGE_READERS, TRAFILATURA_MODULE, load_reader

if TYPE_CHECKING:
    from corpus.extract.html.blocks.main_blocks import WalkedPage

MODES = EXTRACTION_MODES
"""`corpus`, the default, is our own (`corpus.extract.html.blocks`), with `fast` for the few pages that it is unsure of.
`fast` is trafilatura's own rules alone; the next two compare them with readability and jusText and, in doubt, take less
(`precision`, FineWeb's choice) or more (`recall`). `resiliparse` is another library: less exact about what is
boilerplate."""


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the main text of a page, decoded by what it, its header and its bytes state."""
    ahead = take_ahead(record)
    if ahead is None:
        html, data = decode_page(record)
        page = extract_main(html, record.url, mode, data)
    else:
        html = ahead.html
        page = _extract_prepared(html, record.url, mode, ahead.walked)
    if not page.text:
        return None
    license, metadata = read_license(html, page.licenses)
    if mode == "corpus":
        metadata["extractor"] = page.engine
    opt_out = None if page.statements is None else read_opt_outs(page.statements, record.opt_out)
    return ExtractedText(text=page.text, license=license, metadata=metadata, opt_out=opt_out)


def read_license(html: str, licenses: Sequence[str] | None = None) -> tuple[str | None, dict[str, str]]:
    """Return the licence that a page states, and in metadata (`licenses`) all of them if there are several.

    `licenses` are those that it states, if they are known; else it is parsed for them, unless it nests so deep that
    this would take seconds.
    """
    if licenses is None:
        if CREATIVE_COMMONS_HOST not in html:
            return None, {}
        from corpus.extract.html.page_license import parse_page_licenses

        licenses = parse_page_licenses(html)
    if len(licenses) == 1:
        return licenses[0], {}
    return None, {"licenses": " ".join(licenses)} if licenses else {}


def extract_main_text(html: str, url: str | None = None, mode: str = DEFAULT_MODE) -> str | None:
    """Return the main text of a page, without comments, rows of tables as `| a | b |`; None if it has none.

    The result depends on the page alone: trafilatura's store of texts seen before is off, and what is cached besides
    are values of pure functions. `url` names the page in trafilatura's log. Raises `ValueError` for an unknown mode.
    docs/extraction.md and docs/speed.md have what each mode gets right, and what it costs.
    """
    return extract_main(html, url, mode).text


class MainText(NamedTuple):
    """The main text of a page, what has read it (`corpus`, `resiliparse` or `trafilatura`), the licences that the page
    states and what may be opt-outs (`opt_outs.list_statements`), None if nothing has looked for them."""

    text: str | None
    engine: str
    licenses: Sequence[str] | None = None
    statements: Sequence[tuple[str, str]] | None = None


def extract_main(html: str, url: str | None, mode: str, data: bytes | None = None) -> MainText:
    """Return what `extract_main_text` does, with more about it.

    `data` is the page in UTF-8, if that is at hand: it saves encoding it.
    """
    if mode not in MODES:
        raise ValueError(f"no extraction mode {mode!r}: choose from {', '.join(MODES)}")
    html, data = prepare_page(html, data)
    return _extract_prepared(html, url, mode, walk_page(html, data) if mode == "corpus" else None)


def _extract_prepared(html: str, url: str | None, mode: str, walked: WalkedPage | None) -> MainText:
    """Return the main text of a page that `prepare_page` has prepared, and whose blocks are known in mode `corpus`."""
    if mode == "corpus":
        from corpus.extract.html.blocks.main_blocks import is_stated_elsewhere, write_page

        if walked is not None:
            ours = write_page(html, walked)
            if ours.is_sure and not is_stated_elsewhere(html, ours.text):
                return MainText(ours.text, "corpus", ours.licenses, walked.page.statements)
        mode = "fast"
    if has_cjk_text(html):
        html = join_wrapped_lines(html)
    if mode == "resiliparse":
        reader = load_reader(PAGE_READERS[mode])
        return MainText(reader.extract_with_resiliparse(html), "resiliparse")
    reader = load_reader(TRAFILATURA_MODULE)
    return MainText(reader.extract_with_trafilatura(html, url, mode), "trafilatura")
