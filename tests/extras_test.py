"""What a command says where an optional package is missing."""

from __future__ import annotations

from importlib import metadata

import fsspec
import pytest

from corpus.errors import UserError
from corpus.extras import install_advice
from corpus.storage import remote


def test_the_advice_names_the_packages_of_the_extra_and_their_versions() -> None:
    assert install_advice("sevenzip") == ("pip install 'py7zr<2,>=1.1' (the extra `sevenzip` of corpusmill)")
    assert install_advice("gcp").startswith("pip install 'apache-beam[gcp]<3,>=2.77' 'gcsfs>=2026.1' (")


def test_where_nothing_is_installed_the_advice_is_the_page_on_installing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", nothing)
    assert install_advice("train") == (
        "install corpusmill with its extra `train`: `corpus docs install` says how"
    )


def test_a_store_without_its_client_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str, **_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(UserError, match=r"^s3://bucket/x: .*: pip install 's3fs>=2026\.1' \(") as caught:
        remote.filesystem("s3://bucket/x")
    assert "\n" not in str(caught.value)
