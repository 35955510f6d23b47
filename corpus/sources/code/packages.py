"""Read the metadata of a package: whose it is, which version, under which licence."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Any
from urllib.parse import quote

from corpus.sources.license_names import normalize_license

MAX_METADATA_BYTES = 4 << 20
"""Metadata files beyond that are not read."""
_NAMES = ("PKG-INFO", "package.json", "Cargo.toml", "pyproject.toml", "composer.json")
"""In the order of precedence, after a wheel's METADATA."""
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_TOP = re.compile(r"(?:[^/]+/)?[^/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageMetadata:
    """`url` is the package URL without version (`pkg:pypi/flask`); None where the metadata name none."""

    url: str | None = None
    version: str | None = None
    license: str | None = None


def is_package_file(path: str) -> bool:
    """Return whether a file may describe the package that it is in: at the top, or one folder below."""
    return _METADATA.fullmatch(path) is not None or (
        path.rpartition("/")[2] in _NAMES and _TOP.fullmatch(path) is not None
    )


def read_package(files: Sequence[tuple[str, bytes]]) -> PackageMetadata:
    """Read the metadata files of a repository, the most official first; broken ones are ignored."""
    url = version = license = None
    for path, body in sorted(files, key=lambda one: (_rank(one[0]), one[0])):
        if len(body) > MAX_METADATA_BYTES or ("/" in path and not _METADATA.fullmatch(path)):
            continue
        package = _parse_metadata(path, body)
        url, version = (package.url, package.version) if url is None and package.url else (url, version)
        license = license or package.license
    return PackageMetadata(url=url, version=version, license=license)


def _rank(path: str) -> int:
    name = path.rpartition("/")[2]
    return 1 + _NAMES.index(name) if name in _NAMES else 0


def _parse_metadata(path: str, body: bytes) -> PackageMetadata:
    name = path.rpartition("/")[2]
    try:
        if name in ("METADATA", "PKG-INFO"):
            return _parse_python(body)
        if name.endswith(".json"):
            data = json.loads(body)
            return (
                _parse_json("npm" if name == "package.json" else "composer", data)
                if isinstance(data, dict)
                else PackageMetadata()
            )
        return _parse_toml(tomllib.loads(body.decode()))
    except (ValueError, RecursionError):
        return PackageMetadata()


def _parse_python(body: bytes) -> PackageMetadata:
    headers = BytesParser().parsebytes(body, headersonly=True)
    name = str(headers.get("Name") or "").strip()
    license = normalize_license(str(headers.get("License-Expression") or "")) or normalize_license(
        str(headers.get("License") or "")
    )
    for classifier in headers.get_all("Classifier") or []:
        if license is None and str(classifier).startswith("License ::"):
            license = normalize_license(str(classifier).rpartition("::")[2].strip())
    return PackageMetadata(
        url=f"pkg:pypi/{quote(re.sub('[-_.]+', '-', name).lower())}" if name else None,
        version=str(headers.get("Version") or "").strip() or None,
        license=license,
    )


def _parse_json(kind: str, data: dict[str, Any]) -> PackageMetadata:
    name, version, license = data.get("name"), data.get("version"), data.get("license", data.get("licenses"))
    if isinstance(license, list) and license:
        names = [entry.get("type") if isinstance(entry, dict) else entry for entry in license]
        license = " OR ".join(str(entry) for entry in names)
    elif isinstance(license, dict):
        license = license.get("type")
    # Without a version it is the folder of an application, not what a registry knows by the name.
    known = isinstance(name, str) and name and isinstance(version, str)
    return PackageMetadata(
        url=f"pkg:{kind}/{quote(name)}" if isinstance(name, str) and known else None,
        version=version if isinstance(version, str) else None,
        license=normalize_license(license) if isinstance(license, str) else None,
    )


def _parse_toml(data: dict[str, Any]) -> PackageMetadata:
    crate = data.get("package")
    project = data.get("project")
    if isinstance(crate, dict):
        name, version, license = crate.get("name"), crate.get("version"), crate.get("license")
        known = isinstance(name, str) and isinstance(version, str)
        return PackageMetadata(
            url=f"pkg:cargo/{quote(str(name))}" if known else None,
            version=str(version) if known else None,
            license=normalize_license(license) if isinstance(license, str) else None,
        )
    license = project.get("license") if isinstance(project, dict) else None
    if isinstance(license, dict):
        license = license.get("text")
    return PackageMetadata(license=normalize_license(license) if isinstance(license, str) else None)
