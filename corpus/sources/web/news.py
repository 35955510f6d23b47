"""Read news: the articles of CC-NEWS, or of any web archive with a list of domains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, ClassVar, Literal

from corpus import storage
from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.groups import registered_domain
from corpus.sources.web.warc import Warc
from corpus.storage.fingerprint import fingerprint
from corpus.web.url_lists.index_key import key_of
from corpus.web.url_lists.links import read_domains


class News(Warc):
    """Articles of web archives. `domains` is a file of registered domains or hosts, one a line: others are not read.

    Gates beside those of archives: `news.not_article`, `news.paywall`, `news.stub` (see
    `corpus.extract.html.news_article`). An article that was captured more than once is one page by its canonical
    address: the build's deduplication by URL leaves one.
    """

    FILE_KEYS: ClassVar[tuple[str, ...]] = ("domains",)

    kind: Literal["news"] = "news"  # type: ignore[assignment]
    domains: str | None = None

    @classmethod
    def version(cls) -> int:
        return 2 + 100 * super().version()

    def prepare(self, say: Callable[[str], None] | None) -> None:
        if self.domains is not None:
            try:
                domains = _load_domains(self.domains)
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"cannot read the domains {self.domains}: {error}", ("domains",)) from None
            if not domains:
                raise UserError(f"{self.domains} lists no domains", ("domains",))

    def parameters(self) -> dict[str, Any]:
        inherited = super().parameters()
        named = sorted(_load_domains(self.domains)) if self.domains is not None else None
        return {**inherited, "domains": fingerprint(named) if named is not None else None}

    def is_wanted(self, url: str | None) -> bool:
        if self.domains is None:
            return True
        wanted = _load_domains(self.domains)
        host = (key_of(url or "") or "").partition("/")[0].partition("?")[0].partition(":")[0]
        while host:
            if host in wanted:
                return True
            host = host.partition(".")[2]
        return bool(url) and registered_domain(url or "") in wanted

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        for record in super().read(path, file, start, end):
            if isinstance(record, Record) and record.gate is None:
                if record.media_type == "text/html":
                    record.media_type = "text/x-news"
                    if record.date is not None:  # the document's date is the article's
                        record.metadata["captured"], record.date = record.date, None
                else:
                    record.gate = "news.not_article"
                    record.body = b""
            yield record


@lru_cache(maxsize=16)
def _load_domains(path: str) -> frozenset[str]:
    """Return the domains of a list, plain or compressed."""
    with storage.open_decompressed(path) as stream:
        return frozenset(read_domains(stream.read().decode("utf-8-sig").splitlines()))
