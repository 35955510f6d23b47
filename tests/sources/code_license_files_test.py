"""Licence files: by which names and texts they are told, that they are no documents, and what they are evidence of."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.document import Failure
from corpus.sources.code.license_files import is_legal_name, is_license_text
from tests.sources.repositories import MIT, read, records, write

APACHE_NOTICE = """Sorter
Copyright 2024 Nobody

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with
the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0
"""
PARTS = "Sorter\n\nThis product includes software of Other Ltd, licensed under the MIT License.\n"
PAGE = (
    "# The licence server\n\nStart the server before the clients. Each client asks for a seat when it starts, and\n"
    "gives it back when it ends. A seat that is not given back is free again after ten minutes.\n"
) * 12
CHINESE_PAGE = (
    "# 许可证服务器\n\n请先启动服务器，再启动客户端。启动时申请一个席位，结束时归还；十分钟未归还的席位自动释放。\n"
    * 9
)
CHINESE_TERMS = (
    "本软件的版权归作者所有。未经书面许可，任何人不得复制、分发本软件，也不得将其用于商业目的。"
    "作者对因使用本软件造成的任何损害不承担责任，也不提供任何形式的保证。被许可人应保留版权声明，并遵守授权条款。"
)


LEGAL_NAMES = """
LICENSE License.txt licence.md LICENSE-MIT LICENSE.APACHE2 LICENSE_1_0.txt LICENSE-2.0.html LICENSE.zh-CN.md UNLICENSE
COPYING COPYING.LESSER COPYINGv3 GPL_LICENSE.txt mit-license.rst GPL3-LICENSE CC-BY-SA-4.0-LICENSE FONT_LICENSE.txt
LICENSE_SANS NOTICE NOTICE.md notices.txt COPYRIGHT Copyright.txt EULA.rtf ThirdPartyNotices.txt THIRD-PARTY-LICENSES
3rd_party_licenses.md LICENSES 许可证.txt 版权声明.md 授權協議 LIZENZ.txt LICENCIA.md licença ライセンス.txt ЛИЦЕНЗИЯ
"""
OTHER_NAMES = """
license.py License.java licenses.json license_check.rs LICENSE.pl LICENSE.py LICENSE_CHECK.sh copyright.csv notice.tsx
README.md licence-server.md copying-files.md notice-board.txt NOTICE_BOARD.md MIT.md GPL.txt apache.md authors.txt
unlicensed-players.txt 许可证服务器.md
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [*((name, True) for name in LEGAL_NAMES.split()), *((name, False) for name in OTHER_NAMES.split())],
)
def test_names_of_nothing_but_law_are_licences(name: str, expected: bool) -> None:
    assert is_legal_name(f"license/{name}") is expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("LICENSES/MIT.txt", MIT, True),
        ("docs/gpl.txt", MIT, True),
        ("MIT.md", MIT, True),
        (
            "fonts/SANS_LICENSE.txt",
            "The font may be used, copied and redistributed; no warranty, no liability.\n",
            True,
        ),
        ("README.md", "# Sort\n\nSorts numbers.\n" * 60 + "\n## License\n\n" + MIT, False),
        ("README.md", "# Sort\n\nLicensed under the MIT license, without any warranty.\n", False),
        ("docs/licence-server.md", PAGE, False),
        ("docs/licensing.md", PAGE, False),
        ("licenses/README.md", PAGE, False),
        ("docs/许可证-服务器.md", CHINESE_PAGE, False),
        ("legal/协议.md", CHINESE_TERMS, True),
        ("docs/协议.md", CHINESE_PAGE, False),
        ("empty-license.md", "", False),
    ],
)
def test_of_other_names_the_text_decides(path: str, text: str, expected: bool) -> None:
    assert is_license_text(path, text.encode()) is expected


def test_text_is_read_in_its_own_charset() -> None:
    assert is_license_text("legal/协议.md", CHINESE_TERMS.encode("gb18030"))


@pytest.mark.parametrize("documents", ["files", "repositories"])
def test_licences_are_no_documents_and_what_they_license_is(tmp_path: Path, documents: str) -> None:
    files = {
        "LICENSE": MIT,
        "NOTICE": PARTS,
        "LICENSES/MIT.txt": MIT,
        "docs/guide.md": PAGE,
        "logo.png.license": "MIT",
    }
    tree = write(tmp_path / "a", {name: text.encode() for name, text in files.items()} | {"a.py": b"a = 1\n"})
    found = [one for one in read(tree, documents=documents) if not isinstance(one, Failure)]
    gated = {one.metadata["path"]: one.gate for one in found if one.gate}
    assert gated == dict.fromkeys(
        ["LICENSE", "LICENSES/MIT.txt", "NOTICE", "logo.png.license"], "code.license_text"
    )
    assert {one.license for one in found if not one.gate} == {"MIT"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"NOTICE": APACHE_NOTICE}, "Apache-2.0"),
        ({"NOTICE.txt": PARTS}, None),
        ({"COPYRIGHT": MIT}, "MIT"),
        ({"COPYRIGHT": MIT, "NOTICE": PARTS}, "MIT"),
        ({"LICENSE": MIT, "NOTICE": APACHE_NOTICE}, "MIT"),
        ({"package.json": '{"name": "a", "license": "ISC"}', "NOTICE": APACHE_NOTICE}, "ISC"),
        ({"NOTICE": APACHE_NOTICE, "src/COPYRIGHT": MIT}, "MIT"),
        ({"LICENSE": MIT, "src/licence-server.md": PAGE}, "MIT"),
        ({"LICENSE": MIT, "copying-files.md": PAGE}, "MIT"),
        ({"许可证.txt": MIT}, "MIT"),
        ({"LIZENZ.md": MIT}, "MIT"),
    ],
)
def test_notices_count_where_nothing_else_is_said(
    tmp_path: Path, files: dict[str, str], expected: str | None
) -> None:
    tree = write(
        tmp_path / "a", {name: text.encode() for name, text in files.items()} | {"src/a.py": b"a = 1\n"}
    )
    assert records(tree, licenses={"allow": ["all"]})["src/a.py"].license == expected
