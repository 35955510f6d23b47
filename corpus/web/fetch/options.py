"""Define how to fetch: every limit, with its reason."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import BaseModel, ByteSize, ConfigDict, Field, field_validator

_CONTACT = re.compile(r"(mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+")


class FetchOptions(BaseModel):
    """Options of `corpus fetch`; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contact: str
    """An e-mail address or a page about the crawl: part of the user agent, so that a site can complain."""
    agent: str = "corpus-fetch"
    """The product name that robots.txt files address."""
    hosts: Annotated[int, Field(ge=1, le=4096)] = 256
    """Hosts that are asked concurrently, each over one connection."""
    rate: Annotated[float, Field(gt=0)] = 50.0
    """Requests a second in all."""
    delay: Annotated[float, Field(ge=0)] = 1.0
    """Between two requests to a host; a longer crawl-delay of its robots.txt applies."""
    max_delay: Annotated[float, Field(gt=0)] = 60.0
    """A host that asks for a longer crawl-delay is not asked at all."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """For a whole exchange: connecting, waiting, and reading the body."""
    connect_timeout: Annotated[float, Field(gt=0)] = 15.0
    read_timeout: Annotated[float, Field(gt=0)] = 20.0
    """Between two pieces of a body."""
    max_bytes: Annotated[ByteSize, Field(ge=1)] = ByteSize(10 << 20)
    """Of a body as it is sent."""
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    content_types: tuple[str, ...] = ("text/html", "application/xhtml+xml", "text/plain")
    """What is stored; a response without a type is."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """After a failed connection, a timeout, or status 429, 502, 503 and 504; other outcomes would not change."""
    retry_wait: Annotated[float, Field(ge=0)] = 5.0
    """Before the first retry, twice as long before each further one; a shorter or longer Retry-After applies."""
    max_retry_wait: Annotated[float, Field(gt=0)] = 120.0
    """A host whose Retry-After is longer is given up."""
    host_failures: Annotated[int, Field(ge=1)] = 5
    """Failed connections in a row after which a host's other pages are given up."""
    allow_addresses: tuple[str, ...] = ()
    """Networks that are not public but may be asked (`127.0.0.0/8`)."""
    resolve: dict[str, str] = {}
    """Addresses of host names instead of a name lookup, `*` for all others. They are checked like any."""
    ca_file: str | None = None
    """Certificates to trust besides the system's."""
    warc_size: Annotated[ByteSize, Field(ge=1 << 16)] = ByteSize(1 << 30)
    """A WARC file that has reached this size is closed and another one started."""

    @field_validator("contact")
    @classmethod
    def _reachable(cls, contact: str) -> str:
        if not _CONTACT.fullmatch(contact):
            raise ValueError("an e-mail address or the URL of a page about the crawl is expected")
        return contact

    @field_validator("agent")
    @classmethod
    def _token(cls, agent: str) -> str:
        if not re.fullmatch(r"[A-Za-z][A-Za-z_-]*", agent):
            raise ValueError("a product token of letters, _ and - is expected: robots.txt allows no other")
        return agent

    @field_validator("allow_addresses")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks

    @field_validator("resolve")
    @classmethod
    def _addresses(cls, resolve: dict[str, str]) -> dict[str, str]:
        for address in resolve.values():
            ipaddress.ip_address(address)
        return resolve

    @property
    def user_agent(self) -> str:
        return f"{self.agent}/0.1 (+{self.contact})"
