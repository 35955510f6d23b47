"""Whose code it is and under which licence: licence files, SPDX lines, package metadata, allow and deny lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import UserError
from corpus.manifest import load_manifest
from corpus.sources.code.contents import SourceFile, survey
from corpus.sources.license_names import list_identifiers
from tests.sources.repositories import (
    MIT,
    packed,
    records,
    source,
    write,
)

ISC = (
    "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby "
    "granted, provided that the above copyright notice and this permission notice appear in all copies.\n\n"
    'THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING '
    "ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, "
    "DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, "
    "WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE "
    "USE OR PERFORMANCE OF THIS SOFTWARE.\n"
)
ZERO = "SPDX-License-Identifier: CC0-1.0\n"
SETUP = {
    "PKG-INFO": b"Metadata-Version: 2.4\nName: Fast_Sort\nVersion: 1.2\nLicense-Expression: BSD-2-Clause OR MIT\n",
    "fast_sort/__init__.py": b"x = 1\n",
}


@pytest.mark.parametrize(
    ("name", "files", "top", "expected"),
    [
        (
            "fast_sort-1.2.tar.gz",
            SETUP,
            "fast_sort-1.2/",
            ("pkg:pypi/fast-sort", "1.2", "BSD-2-Clause OR MIT"),
        ),
        (
            "fast_sort-1.2-py3-none-any.whl",
            {
                "fast_sort/__init__.py": b"x = 1\n",
                "fast_sort-1.2.dist-info/METADATA": b"Name: fast.sort\nVersion: 1.2\n",
                "fast_sort-1.2.dist-info/licenses/LICENSE": MIT.encode(),
            },
            "",
            ("pkg:pypi/fast-sort", "1.2", "MIT"),
        ),
        (
            "team-sort-3.0.0.tgz",
            {
                "fast_sort/__init__.py": b"x = 1\n",
                "package.json": b'{"name": "@team/sort", "version": "3.0.0", "license": "ISC"}',
            },
            "package/",
            ("pkg:npm/%40team/sort", "3.0.0", "ISC"),
        ),
        (
            "sort-0.1.crate",
            {
                "fast_sort/__init__.py": b"x = 1\n",
                "Cargo.toml": b'[package]\nname = "sort"\nversion = "0.1"\nlicense = "MIT/Apache-2.0"\n',
            },
            "sort-0.1/",
            ("pkg:cargo/sort", "0.1", "MIT OR Apache-2.0"),
        ),
    ],
)
def test_packages_are_named_by_their_metadata(
    tmp_path: Path, name: str, files: dict[str, bytes], top: str, expected: tuple[str, str, str]
) -> None:
    path = packed("zip" if name.endswith(".whl") else "gz", files, tmp_path / name, top)
    record = records(path)["fast_sort/__init__.py"]
    assert (record.group, record.metadata["version"], record.license) == expected
    assert record.gate is None


GPL_LINE = b"// SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"LICENSE": MIT.encode()}, "MIT"),
        ({"LICENSE": b"\xef\xbb\xbf" + MIT.replace("\n", "\r\n").encode()}, "MIT"),
        ({"COPYING.txt": MIT.encode()}, "MIT"),
        ({"license.py": MIT.encode()}, None),
        ({"LICENSE": b"All rights are ours. " * 100}, None),
        ({"LICENSE": b"All rights are ours. " * 100, "LICENSE-MIT": MIT.encode()}, None),
        ({"LICENSE": b"See LICENSE-MIT.\n", "LICENSE-MIT": MIT.encode()}, "MIT"),
        ({"LICENSE": MIT.encode() + b"\nCommons Clause: the right to sell is not granted.\n"}, None),
        ({"LICENSE": MIT.encode(), "src/LICENSE": b"All rights are ours. " * 100}, None),
        ({"LICENSE": MIT.encode(), "other/LICENSE": b"All rights are ours. " * 100}, "MIT"),
        ({"LICENSE": b"SPDX-License-Identifier: Apache-2.0\n"}, "Apache-2.0"),
    ],
)  # fmt: skip
def test_the_licence_is_that_of_the_nearest_licence_file(
    tmp_path: Path, files: dict[str, bytes], expected: str | None
) -> None:
    found = records(write(tmp_path / "a", {**files, "src/a.py": b"x = 1\n"}))["src/a.py"]
    assert found.license == expected
    assert found.gate == (None if expected else "code.license")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"// SPDX-License-Identifier: Apache-2.0\n", "Apache-2.0"),
        (b"/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */\n", "(MIT OR GPL-2.0-only)"),
        (b"<!-- SPDX-License-Identifier: BSD-3-Clause -->\n", "BSD-3-Clause"),
        (GPL_LINE, "GPL-2.0-only WITH Linux-syscall-note"),
        (b"// SPDX-License-Identifier: \n", "MIT"),
        (b"\n" * 5000 + b"// SPDX-License-Identifier: Apache-2.0\n", "MIT"),
    ],
)
def test_an_spdx_line_goes_before_the_repository(tmp_path: Path, line: bytes, expected: str) -> None:
    tree = write(tmp_path / "a", {"LICENSE": MIT.encode(), "a.js": line + b"let a = 1;\n"})
    assert records(tree)["a.js"].license == expected


@pytest.mark.parametrize(
    ("allow", "deny", "license", "permitted"),
    [
        (["permissive"], [], "MIT", True),
        (["permissive"], [], "mit", True),
        (["permissive"], [], "GPL-3.0", False),
        (["permissive"], [], None, False),
        (["permissive", "unknown"], [], None, True),
        (["all"], [], None, True),
        (["all"], ["unknown"], None, False),
        (["all"], ["copyleft"], "AGPL-3.0-only", False),
        (["permissive"], ["MIT"], "MIT", False),
        (["permissive"], [], "GPL-3.0-only OR MIT", True),
        (["permissive"], [], "GPL-3.0-only AND MIT", False),
        (["permissive"], [], "(GPL-3.0-only OR MIT) AND ISC", True),
        (["permissive"], [], "GPL-2.0-only WITH Classpath-exception-2.0", False),
        (["MPL-2.0"], [], "MPL-2.0", True),
        (["Apache-2.0"], [], "Apache-2.0+", True),
        (["all"], ["GPL-3.0"], "GPL-3.0-only", False),
        (["all"], ["GPL-3.0"], "GPL-3.0-or-later", False),
        (["all"], ["GPL-3.0"], "gpl-3.0+", False),
        (["all"], ["gpl-3.0"], "GPL-3.0", False),
        (["all"], ["GPL-3.0"], "GPL-3.0-or-later WITH GCC-exception-3.1", False),
        (["all"], ["GPL-3.0"], "GPL-3.0-with-GCC-exception", False),
        (["all"], ["GPL-3.0"], "LGPL-3.0-only", True),
        (["all"], ["GPL-3.0"], "AGPL-3.0-or-later", True),
        (["all"], ["GPL-3.0"], "GPL-2.0-only", True),
        (["all"], ["GPL-3.0"], "GPL-2.0-or-later", True),
        (["all"], ["GPL-3.0"], "MIT OR GPL-3.0-only", True),
        (["all"], ["GPL-3.0"], "MIT AND GPL-3.0-only", False),
        (["all"], ["GPL-3.0"], "(ISC OR GPL-3.0+) AND (MIT OR LGPL-3.0+)", True),
        (["all"], ["GPL-3.0", "MIT"], "MIT or GPL-3.0-only", False),
        (["all"], ["LGPL-2.1"], "LGPL-2.1+", False),
        (["all"], ["AGPL-3.0"], "AGPL-3.0-or-later", False),
        (["all"], ["GFDL-1.3"], "GFDL-1.3-no-invariants-or-later", False),
        (["all"], ["GPL-2.0-or-later"], "GPL-2.0+", False),
        (["all"], ["GPL-2.0-only"], "GPL-2.0", False),
        (["all"], ["GPL-2.0-only"], "GPL-3.0-only", True),
        (["all"], ["CC-BY-NC-3.0"], "CC-BY-NC-3.0-DE", False),
        (["all"], ["BSD-2-Clause"], "BSD-2-Clause-NetBSD", False),
        (["all"], ["MPL-2.0"], "MPL-2.0-no-copyleft-exception", False),
        (["GPL-3.0"], [], "GPL-3.0-only", True),
        (["GPL-3.0"], [], "GPL-3.0-or-later", True),
        (["GPL-3.0"], [], "GPL-3.0+", True),
        (["GPL-3.0"], [], "GPL-2.0-or-later", True),
        (["GPL-3.0"], ["GPL-2.0"], "GPL-2.0-or-later", False),
        (["GPL-3.0"], [], "GPL-2.0-only", False),
        (["GPL-3.0"], [], "AGPL-3.0-only", False),
        (["GPL-3.0-only"], [], "GPL-3.0", True),
        (["GPL-3.0-only"], [], "GPL-3.0-or-later", True),
        (["GPL-3.0-or-later"], [], "GPL-3.0+", True),
        (["GPL-3.0-or-later"], [], "GPL-3.0-only", False),
        (["copyleft"], ["GPL-3.0"], "GPL-3.0-or-later", False),
        (["copyleft"], ["GPL-3.0"], "GPL-2.0-only", True),
        (["permissive"], [], "Apache-2.0 WITH LLVM-exception", True),
        (["permissive"], [], "apache-2.0 with llvm-exception", True),
        (["Apache-2.0"], ["GPL-3.0"], "Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", True),
        (["permissive"], [], "Apache-2.0 WITH Commons-Clause", False),
        (["permissive", "unknown"], [], "Apache-2.0 WITH Commons-Clause", True),
        (["all"], ["GPL-2.0"], "wxWindows OR eCos-2.0", True),
        (["all"], ["GPL-2.0", "LGPL-2.0"], "wxWindows OR eCos-2.0", False),
        (["GPL-2.0-only WITH Classpath-exception-2.0"], [], "GPL-2.0-with-classpath-exception", True),
        (["GPL-2.0-only WITH Classpath-exception-2.0"], [], "GPL-2.0-only", False),
        (["all"], ["GPL-2.0 WITH Classpath-exception-2.0"], "GPL-2.0-only", True),
        (["EPL-2.0"], [], "EPL-1.0+", True),
        (["EPL-1.0"], [], "EPL-2.0", False),
        (["permissive"], [], "MIT OR", False),
        (["permissive"], [], "MIT WITH", False),
        (["all"], ["GPL-3.0"], "GPLv3+", False),
        (["all"], ["GPL-3.0-only"], "GPL3", False),
        (["GPL-2.0"], [], "GPL-2", True),
        (["permissive"], [], "((((", False),
    ],
)
def test_licences_are_allowed_and_denied_as_expressions(
    allow: list[str], deny: list[str], license: str | None, permitted: bool
) -> None:
    assert source(licenses={"allow": allow, "deny": deny}).licenses.permit(license) is permitted


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("permisive", r"did you mean permissive\?"),
        ("Permissive", r"did you mean permissive\?"),
        ("copy-left", r"did you mean copyleft"),
        ("weak copyleft", r"did you mean weak_copyleft"),
        ("GPL3", r"did you mean GPL-3\.0"),
        ("gpl-v3", r"did you mean GPL-3\.0"),
        ("Apache", r"did you mean Apache-2\.0\?"),
        ("mitt", r"did you mean MIT"),
        ("UNKNOWN", r"did you mean unknown\?"),
        ("MIT OR ISC", r"name each licence by itself"),
        ("自由软件", r"`corpus list licenses` names them"),
        ("", r"`corpus list licenses` names them"),
    ],
)
@pytest.mark.parametrize("key", ["allow", "deny"])
def test_a_name_that_no_licence_and_no_set_has_is_refused_with_its_line(
    name: str, advice: str, key: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        f"name: a\nsources:\n  c:\n    kind: code\n    paths: [x]\n    licenses:\n      {key}:\n      - MIT\n"
        f"      - '{name}'\n",
        "utf-8",
    )
    with pytest.raises(
        UserError, match=rf"m\.yaml:9: sources\.c\.licenses\.{key}\[1\]: '{name}' is neither .*{advice}"
    ):
        load_manifest(str(path))


def test_every_spdx_identifier_and_every_set_may_be_named() -> None:
    names = [
        "all",
        "unknown",
        "permissive",
        "mit",
        "Apache-2.0",
        "BSD",
        "SSPL-1.0",
        "CC-BY-NC-4.0",
        "GPL-3.0+",
    ]
    names += ["LicenseRef-Proprietary", "LicenseRef-Ours", *list_identifiers().values()]
    assert source(licenses={"allow": names, "deny": names[3:]}).licenses.allow == names


def test_a_manifest_licence_holds_where_a_repository_says_nothing(tmp_path: Path) -> None:
    tree = write(tmp_path / "a", {"a.py": b"x = 1\n"})
    assert records(tree, license="MIT")["a.py"].gate is None


def test_licences_are_held_up_to_a_bound() -> None:
    body = b"MIT License\n" + b"x" * (2 << 20)
    files = [
        SourceFile(path=f"a/{at:03}/LICENSE", size=len(body), read=lambda: body, origin="a.tar")
        for at in range(80)
    ]
    whole = survey(files)
    assert (len(whole.licensing.files), whole.prefix) == (64, "a/")
    assert {len(text) for ((_, text),) in whole.licensing.files.values()} == {1 << 20}
    assert survey([*files[:1], files[-1]]).licensing.files.keys() == {"000", "079"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"LICENSE": f"Choose whichever you prefer.\n\n{MIT}\n\n{ISC}"}, "MIT OR ISC"),
        ({"LICENSE": f"{MIT}\n\n{ISC}"}, "MIT AND ISC"),
        ({"LICENSE": f"Dual-licensed:\n{MIT}\n\n{ISC}", "COPYING": ZERO}, "CC0-1.0 AND (MIT OR ISC)"),
        (
            {
                "LICENSE": "Attribution-NonCommercial 4.0 International\n\nCreative Commons Corporation is not ...\n"
            },
            "CC-BY-NC-4.0",
        ),
        (
            {"LICENSE.txt": "Creative Commons Legal Code\n\nAttribution-ShareAlike 3.0 Unported\n"},
            "CC-BY-SA-3.0",
        ),
        (
            {"LICENSE": "A tool\nIt is free software under the GNU General Public License, version 3.\n"},
            "GPL-3.0-only",
        ),
        ({"LICENSE": "Copyright A. Proprietary and confidential.\n"}, "LicenseRef-Proprietary"),
        ({"LICENSE": "Cannot be used without a licence; choose the open source one: see docs.\n"}, None),
        ({"LICENSE": "For non-commercial use only.\n"}, None),
        ({"LICENSE-THIRDPARTY.txt": MIT}, None),
        ({"db/license.sql": "-- Licensed under CC BY 4.0\n"}, None),
    ],
)
def test_files_that_hold_several_licences_or_a_notice_alone(
    tmp_path: Path, files: dict[str, str], expected: str | None
) -> None:
    tree = write(tmp_path / "a", {name: text.encode() for name, text in files.items()} | {"a.py": b"a = 1\n"})
    assert records(tree, licenses={"allow": ["all"]})["a.py"].license == expected
