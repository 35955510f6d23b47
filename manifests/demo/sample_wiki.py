"""The MediaWiki dumps of the demo sample: small encyclopedia articles as multistream bzip2.

Articles are written by hand as wikitext in `sources/wiki/LANGUAGE.wiki`: `%%%% Title` opens a page,
`%%%% Title => Target` is a redirect.
"""

from __future__ import annotations

import bz2
import dataclasses
import datetime
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from sample_web import number

PAGES_PER_STREAM = 20
_NAMESPACES = {
    -2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Project", 6: "File",
    10: "Template", 14: "Category",
}  # fmt: skip
_REDIRECT = {"deu_Latn": "#WEITERLEITUNG", "rus_Cyrl": "#перенаправление", "cmn_Hans": "#重定向"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class WikiPage:
    """One page of a dump; `redirect` is the title it leads to."""

    number: int
    title: str
    namespace: int
    language: str
    text: str
    redirect: str | None = None


def read_pages(path: Path, first: int) -> Iterator[WikiPage]:
    """Pages of one file, numbered from `first` on."""
    language = path.stem
    for i, block in enumerate(re.split(r"(?m)^%%%% ", path.read_text(encoding="utf-8"))[1:]):
        head, _, text = block.partition("\n")
        title, _, target = head.strip().partition(" => ")
        prefix = title.split(":")[0]
        namespace = next((key for key, name in _NAMESPACES.items() if name and name == prefix), 0)
        if target:
            text = f"{_REDIRECT.get(language, '#REDIRECT')} [[{target}]]"
        yield WikiPage(
            number=first + i,
            title=title,
            namespace=namespace,
            language=language,
            text=text.strip(),
            redirect=target or None,
        )


def dump(pages: list[WikiPage], language: str) -> bytes:
    """A dump as Wikimedia writes them: siteinfo in a stream of its own, then a stream per `PAGES_PER_STREAM` pages."""
    spaces = "\n".join(
        f'      <namespace key="{key}" case="first-letter"' + (f">{name}</namespace>" if name else " />")
        for key, name in _NAMESPACES.items()
    )
    head = f"""<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.mediawiki.org/xml/export-0.11/ \
http://www.mediawiki.org/xml/export-0.11.xsd" version="0.11" xml:lang="{language}">
  <siteinfo>
    <sitename>Demo encyclopedia</sitename>
    <dbname>demowiki</dbname>
    <base>https://wiki.example/wiki/Main_Page</base>
    <generator>make_sample.py</generator>
    <case>first-letter</case>
    <namespaces>
{spaces}
    </namespaces>
  </siteinfo>
"""
    chunks = [pages[i : i + PAGES_PER_STREAM] for i in range(0, len(pages), PAGES_PER_STREAM)]
    texts = [head, *("".join(map(_element, chunk)) for chunk in chunks), "</mediawiki>\n"]
    return b"".join(bz2.compress(text.encode()) for text in texts)


def _element(page: WikiPage) -> str:
    day = datetime.datetime(2023, 1, 1) + datetime.timedelta(seconds=number(page.title, 365 * 86400))
    data = page.text.encode()
    redirect = f"    <redirect title={quoteattr(page.redirect)} />\n" if page.redirect else ""
    digest = _base36(int.from_bytes(hashlib.sha1(data).digest(), "big"))
    return f"""  <page>
    <title>{escape(page.title)}</title>
    <ns>{page.namespace}</ns>
    <id>{page.number}</id>
{redirect}    <revision>
      <id>{7 * page.number}</id>
      <timestamp>{day.isoformat()}Z</timestamp>
      <contributor>
        <username>Demo writer</username>
        <id>1</id>
      </contributor>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="{len(data)}" sha1="{digest}" xml:space="preserve">{escape(page.text)}</text>
      <sha1>{digest}</sha1>
    </revision>
  </page>
"""


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, rest = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(31, "0")
