"""Web pages of the demo sample: articles, their planted duplicates and the junk around them, as HTML.

Articles are written by hand in `sources/pages/LANGUAGE.md`; `sources/planted.yaml` says which of them appear
again and how they differ; `sources/junk.yaml` lists what a crawl brings home besides. Everything that looks
random (dates, authors, order) is a hash of the page's own address, so the same sources give the same bytes.
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime
import hashlib
import html
import itertools
import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

_CRAWL_START = datetime.datetime(2024, 3, 1, 6, 0, 0)
_CRAWL_SECONDS = 9 * 24 * 3600


@dataclasses.dataclass(frozen=True, kw_only=True)
class Article:
    """One article as written: `name` is site/slug (#2 for its second page), `lines` its Markdown without the title."""

    name: str
    site: str
    language: str
    title: str
    lines: tuple[str, ...]
    charset: str = "utf-8"
    declared: bool = True

    @property
    def text(self) -> str:
        """The article as plain text: title, then one paragraph, list item or table row a line."""
        marks = re.compile(r"^(#+ |- |\d+\. |\| )|( \|)$")
        lines = (marks.sub("", line).replace(" | ", "\t") for line in self.lines)
        return "\n".join([self.title, *(line for line in lines if line)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """One response of the crawl, with the truth about it: its kind and, for a duplicate, the address it repeats."""

    url: str
    body: bytes
    kind: str
    language: str | None
    article: str | None = None
    duplicate_of: str | None = None
    text: str | None = None
    status: int = 200
    content_type: str | None = "text/html; charset=utf-8"
    location: str | None = None
    capture: int = 0

    @property
    def date(self) -> datetime.datetime:
        """When the crawl fetched it; a second capture of an address comes a month later."""
        seconds = number(self.url, _CRAWL_SECONDS)
        return _CRAWL_START + datetime.timedelta(seconds=seconds, days=30 * self.capture)


def number(key: str, below: int) -> int:
    """A number in 0..below-1 that depends on the key alone."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % below


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_articles(path: Path) -> Iterator[Article]:
    """Articles of one file; one flagged `split` becomes a page per section, the first with the introduction."""
    for block in re.split(r"(?m)^@@@ ", path.read_text(encoding="utf-8"))[1:]:
        head, title, *lines = [line for line in block.split("\n") if line.strip()]
        name, *flags = head.split()
        options = dict(flag.partition("=")[::2] for flag in flags)
        charset = options.get("charset") or options.get("undeclared") or "utf-8"
        whole = Article(
            name=name,
            site=name.split("/")[0],
            language=path.stem,
            title=title.removeprefix("# "),
            lines=tuple(lines),
            charset=charset,
            declared="undeclared" not in options,
        )
        yield from _parts(whole) if "split" in options else [whole]


def _parts(article: Article) -> Iterator[Article]:
    starts = [i for i, line in enumerate(article.lines) if line.startswith("## ")]
    bounds = [0, *starts[1:], len(article.lines)]
    for part, (start, end) in enumerate(itertools.pairwise(bounds), 1):
        yield dataclasses.replace(
            article,
            name=f"{article.name}#{part}" if part > 1 else article.name,
            title=f"{article.title} ({part}/{len(starts)})",
            lines=article.lines[start:end],
        )


class Builder:
    """Turns articles into pages with the layouts, sites and boilerplate of `sources`."""

    def __init__(self, sources: Path) -> None:
        self.sources = sources
        self.sites: dict[str, list[str]] = read_yaml(sources / "sites.yaml")
        self.words: dict[str, dict[str, Any]] = read_yaml(sources / "boilerplate.yaml")
        self.layouts = {
            path.stem: string.Template(path.read_text("utf-8"))
            for path in (sources / "layouts").glob("*.html")
        }
        paths = sorted((sources / "pages").glob("*.md"))
        self.articles = {article.name: article for path in paths for article in read_articles(path)}

    def address(self, article: Article, site: str | None = None) -> str:
        host, _, _, _, path = self.sites[site or article.site]
        slug, _, part = article.name.split("/")[1].partition("#")
        url = "https://" + host + path.format(slug=slug, n=100000 + number(slug, 900000))
        return url + (("&" if "?" in url else "?") + f"page={part}" if part else "")

    def page(self, article: Article, site: str | None = None, url: str | None = None, **truth: Any) -> Page:
        """The article in the layout of a site (its own by default), at an address (its own by default)."""
        site = site or article.site
        url = url or self.address(article, site)
        markup = self._render(article, site, url)
        content_type = f"text/html; charset={article.charset}" if article.declared else "text/html"
        truth.setdefault("kind", "article")
        return Page(
            url=url,
            body=markup.encode(article.charset, errors="xmlcharrefreplace"),
            language=article.language,
            article=article.name,
            text=article.text,
            content_type=content_type,
            **truth,
        )

    def _render(self, article: Article, site: str, url: str) -> str:
        _, name, layout, _, _ = self.sites[site]
        words = self.words[article.language]
        date = datetime.date(2019, 1, 1) + datetime.timedelta(days=number(article.name, 1800))
        author = words["authors"][number(article.name + "author", 4)]
        same = sorted(a.title for a in self.articles.values() if a.language == article.language)
        picks = [same[number(f"{url}{i}", len(same))] for i in range(3)]
        comments = [words["comment_texts"][number(f"{url}c{i}", 5)] for i in range(number(url, 4))]
        declare = f'<meta charset="{article.charset}">' if article.declared else ""
        body = posts(article.lines) if layout == "forum" else blocks(article.lines)
        fields = {
            "lang": words["html"],
            "meta": declare,
            "title": html.escape(article.title, quote=False),
            "site": name,
            "url": url,
            "body": body,
            "author": author,
            "date": date.isoformat(),
            "posted": words["posted"].format(date=date.isoformat(), author=author),
            "home": words["nav"][0],
            "section": words["nav"][1 + number(article.name, 3)],
            "tags": ", ".join(words["nav"][1:3]),
            "nav_items": "".join(f'<li><a href="/s{i}">{w}</a></li>' for i, w in enumerate(words["nav"])),
            "nav_links": " | ".join(f'<a href="/s{i}">{w}</a>' for i, w in enumerate(words["nav"])),
            "related_items": "".join(
                f'<li><a href="/r{i}">{html.escape(t)}</a></li>' for i, t in enumerate(picks)
            ),
            "comments": "".join(f'<li class="comment"><p>{c}</p></li>' for c in comments),
            "comments_divs": "".join(f'<div class="comment"><p>{c}</p></div>' for c in comments),
            "comments_title": words["comments"],
        }
        plain = [
            "search",
            "login",
            "cookie",
            "accept",
            "share",
            "related",
            "newsletter",
            "footer",
            "javascript",
        ]
        return self.layouts[layout].substitute(fields, **{key: words[key] for key in plain})

    def duplicates(self) -> Iterator[Page]:
        """The planted copies: exact (another address), mirror (another site), edited (and changed), recapture."""
        for entry in read_yaml(self.sources / "planted.yaml")["duplicates"]:
            source = self.articles[entry["of"]]
            original = self.address(source)
            copy = edit(source, entry.get("edits", {}))
            kind, site, url, capture = entry["kind"], entry.get("site"), None, 0
            if kind == "exact":
                url = original + (("&" if "?" in original else "?") + entry["query"])
            elif kind == "recapture":
                url, capture = original, 1
            yield self.page(copy, site, url, kind=kind, duplicate_of=original, capture=capture)

    def junk(self) -> Iterator[Page]:
        for entry in read_yaml(self.sources / "junk.yaml"):
            yield self._junk(**entry)

    def _junk(self, *, url: str, kind: str, language: str | None = None, **rest: Any) -> Page:
        words = self.words[language or "eng_Latn"]
        truth: dict[str, Any] = {"url": url, "kind": f"junk.{kind}", "language": language}
        if kind in ("binary", "data"):
            body = bytes.fromhex(rest["hex"]) if kind == "binary" else rest["text"].encode()
            return Page(body=body, content_type=rest["type"], **truth)
        if kind == "redirect":
            return Page(body=b"", status=rest["status"], location=rest["to"], **truth)
        if kind == "mojibake":
            source = self.articles[rest["of"]]
            wrong = source.text.encode(rest["wrote"]).decode(rest["read"], errors="replace")
            lines = wrong.split("\n")
        elif kind == "keywords":
            terms = rest["words"]
            lines = [
                " ".join(terms[(i * j) % len(terms)] for j in range(40)) for i in range(1, rest["times"] + 1)
            ]
        elif kind == "repeat":
            lines = [rest["text"]] * rest["times"]
        elif kind == "links":
            lines = ["- " + link for link in rest["links"]]
        elif kind == "calendar":
            weeks = calendar.monthcalendar(rest["year"], rest["month"])
            lines = ["| " + " | ".join(str(day or "-") for day in week) + " |" for week in weeks]
        elif kind in ("login", "javascript", "notfound"):
            lines = [words["password" if kind == "login" else kind]]
        elif kind == "empty":
            return Page(body=rest.get("text", "").encode(), **truth)
        else:  # text, lorem, code, boilerplate: lines as they are
            lines = rest.get("text", "").split("\n")
        title = rest.get("title", url.split("/")[2])
        site = rest["site"]
        article = Article(
            name=url, site=site, language=language or "eng_Latn", title=title, lines=tuple(lines)
        )
        status = 404 if kind == "notfound" else 200
        return Page(body=self._render(article, site, url).encode(), text=article.text, status=status, **truth)

    def pages(self) -> list[Page]:
        """Every page of the sample in the order of the crawl."""
        articles = [self.page(article) for article in self.articles.values()]
        pages = [*articles, *self.duplicates(), *self.junk()]
        return sorted(pages, key=lambda page: (page.date, page.url))


def edit(article: Article, edits: dict[str, Any]) -> Article:
    """The article after `replace` (old: new), `drop` (numbers of lines) and `first` / `last` (added lines)."""
    lines = [line for i, line in enumerate(article.lines) if i not in edits.get("drop", [])]
    for old, new in edits.get("replace", {}).items():
        found = [i for i, line in enumerate(lines) if old in line]
        if len(found) != 1:
            raise SystemExit(
                f"planted.yaml: {article.name}: {old!r} is in {len(found)} paragraphs; name one exactly"
            )
        lines[found[0]] = lines[found[0]].replace(old, new)
    first, last = edits.get("first"), edits.get("last")
    lines = [*([first] if first else []), *lines, *([last] if last else [])]
    return dataclasses.replace(article, lines=tuple(lines), title=edits.get("title", article.title))


def blocks(lines: Iterable[str]) -> str:
    """Markdown lines as HTML: headings, bullet and numbered lists, table rows, quotes, paragraphs."""
    out: list[str] = []
    opened = ""
    for line in lines:
        tag, item = _block(line)
        wrapper = {"li": "ol" if line[:1].isdigit() else "ul", "tr": "table"}.get(tag, "")
        if wrapper != opened:
            out.extend(
                part for part in (f"</{opened}>" if opened else "", f"<{wrapper}>" if wrapper else "") if part
            )
            opened = wrapper
        out.append(f"<{tag}>{item}</{tag}>")
    return "\n".join([*out, f"</{opened}>"] if opened else out)


def _block(line: str) -> tuple[str, str]:
    text = html.escape(line, quote=False)
    if line.startswith("## "):
        return "h2", text[3:]
    if line.startswith("| "):
        return "tr", "".join(f"<td>{cell.strip()}</td>" for cell in text.strip("| ").split(" | "))
    if match := re.match(r"(- |\d+\. )", text):
        return "li", text[match.end() :]
    if line.startswith("> "):
        return "blockquote", html.escape(line[2:], quote=False)
    return "p", text


def posts(lines: Iterable[str]) -> str:
    """A thread: each `## name wrote:` opens a post."""
    out: list[str] = []
    for line in lines:
        tag, text = _block(line)
        if tag == "h2":
            close = "</div></div>" if out else ""
            out.append(f'{close}<div class="msg-box"><div class="who">{text}</div><div class="said">')
        else:
            out.append(f"<{tag}>{text}</{tag}>")
    return "\n".join([*out, "</div></div>"])
