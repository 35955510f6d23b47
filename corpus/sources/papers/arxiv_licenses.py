"""Look up licences of arXiv's papers in its metadata snapshot: one JSON object per line with `id` and `license`.

The snapshot has 2.7 million lines in 4.5 GB. A hash and the number of the licence are kept of each line, nine bytes, so
a process holds 25 MB. Reading takes about 10 seconds, once a process; no line is parsed as a whole.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xxhash

from corpus.errors import UserError
from corpus.extract.creative_commons import find_cc_license
from corpus.storage import File, open_decompressed, size
from corpus.storage.fingerprint import file_identity

_ID = re.compile(rb'"id"\s*:\s*"([^"\\]{1,40})"')
_LICENSE = re.compile(rb'"license"\s*:\s*"([^"\\]{1,200})"')
_DEFAULT = re.compile(r"arxiv\.org/licenses/(nonexclusive-distrib|assumed-1991-2003)(?:/(\d\.\d))?")


@dataclass(frozen=True, slots=True)
class ArxivLicenses:
    """`hashes` uint64[n], sorted, of arXiv ids; `codes` uint8[n], places in `names`."""

    hashes: npt.NDArray[np.uint64]
    codes: npt.NDArray[np.uint8]
    names: tuple[str, ...]

    def of(self, paper: str) -> str | None:
        """Return the licence of a paper by its id; None where the snapshot names none."""
        wanted = np.uint64(xxhash.xxh3_64_intdigest(paper.encode()))
        at = int(np.searchsorted(self.hashes, wanted))
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return None
        return self.names[int(self.codes[at])]


@lru_cache(maxsize=2)
def read_licenses(path: str) -> ArxivLicenses:
    """Read the licences of a snapshot, plain or compressed. Raises UserError where it has none."""
    hashes, codes = array("Q"), array("B")
    names: dict[str, int] = {}
    with open_decompressed(path) as stream:
        for line in stream:
            paper, license_match = _ID.search(line), _LICENSE.search(line)
            if paper is None or license_match is None:
                continue
            name = license_name(license_match[1].decode("utf-8", "replace"))
            if name not in names and len(names) == 256:
                continue
            hashes.append(xxhash.xxh3_64_intdigest(paper[1]))
            codes.append(names.setdefault(name, len(names)))
    if not hashes:
        raise UserError(
            f"{path}: no line with an `id` and a `license`: give arXiv's metadata snapshot, one JSON object per line"
        )
    keys = np.frombuffer(hashes, np.uint64)
    order = np.argsort(keys, kind="stable")
    return ArxivLicenses(keys[order], np.frombuffer(codes, np.uint8)[order], tuple(names))


def license_name(address: str) -> str:
    """Return `CC-BY-4.0` for Creative Commons, `arXiv-nonexclusive-distrib-1.0` for arXiv's own, else the address."""
    if (name := find_cc_license(address)) is not None:
        return name
    if (default := _DEFAULT.search(address)) is not None:
        return f"arXiv-{default[1]}-{default[2]}" if default[2] else f"arXiv-{default[1]}"
    return address


@lru_cache(maxsize=2)
def licenses_identity(path: str) -> str:
    """Identify the content of a snapshot, for fingerprints."""
    return file_identity(File(path, path, size(path)))
