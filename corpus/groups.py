"""Groups: documents that must not stand on both sides of training and validation."""

from __future__ import annotations

import hashlib
from functools import cache

import tldextract

SALT = b"corpus validation 1"
"""Fixed for ever, so that a group is on the same side in every workspace."""


@cache
def suffixes() -> tldextract.TLDExtract:
    """The Public Suffix List that tldextract ships, private suffixes included."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def domain_of(url: str) -> str | None:
    """The registered domain of a URL (`example.co.uk`), or its host where it has none; None without a host.

    By the Public Suffix List that tldextract ships, private suffixes included: two blogs on one host are
    two groups. About 3 microseconds.
    """
    parts = suffixes()(url)
    if parts.suffix or parts.ipv4 or parts.ipv6:
        return parts.top_domain_under_public_suffix or parts.fqdn or parts.domain or None
    host = f"{parts.subdomain}.{parts.domain}".strip(
        "."
    )  # no known suffix: the list's rule is the last label
    return ".".join(host.split(".")[-2:]) or None


def is_validation(group: str, share: float) -> bool:
    """Whether a group is in validation: a fixed hash below `share`, so a larger share keeps a smaller one's."""
    digest = hashlib.blake2b(group.encode("utf-8", "surrogatepass"), key=SALT, digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
