"""What a file says of its licence, itself or by REUSE.toml, NAME.license and dep5, goes before the repository's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.repositories import MIT, packed, records, write

EVERYTHING = {"allow": ["all"], "deny": []}
GNU = (
    "{} under the terms of the GNU {}General Public License as published by\n{} the Free Software Foundation; either "
    "version {} of the License, or\n{} (at your option) any later version.\n"
)
NC_SA = (
    "# Licensed under the Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International License\n"
)
ASL = "Licensed under the Apache License, Version 2.0 <LICENSE-APACHE>"
PROPRIETARY = "LicenseRef-Proprietary"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (GNU.format("//", "", "//", "2", "//"), "GPL-2.0-or-later"),
        (GNU.format(";;", "Lesser ", ";;", "2.1", ";;"), "LGPL-2.1-or-later"),
        ("/*\n" + GNU.format(" *", "Affero ", " *", "3", " *") + "*/\n", "AGPL-3.0-or-later"),
        ("<!--\n" + GNU.format("", "Library ", "", "2", "") + "-->\n", "LGPL-2.0-or-later"),
        (
            "/* distributed under the terms of version 2 of the GNU General Public License */\n",
            "GPL-2.0-only",
        ),
        ("-- Released under the GNU GPL v3.\n", "GPL-3.0-only"),
        ("% License: GPLv3+\n", "GPL-3.0-or-later"),
        ("'''Licensed under the GPL.'''\n", "GPL-1.0-or-later"),
        ("__license__ = 'GPL v3'\n", "GPL-3.0-only"),
        ("# Licencia: GNU GPL versión 3\n", "GPL-3.0-only"),
        ("# 本程序遵循 GNU GPL v3 许可证\n", "GPL-3.0-only"),
        ("# このプログラムはGPLv2ライセンスで公開する\n", "GPL-2.0-only"),
        ("// Dual licensed under the MIT and GPL licenses.\n", "GPL-1.0-or-later OR MIT"),
        (f"// {ASL} or the MIT license\n// <LICENSE-MIT>, at your option.\n", "Apache-2.0 OR MIT"),
        (f"# {ASL}\n", "Apache-2.0"),
        (f"/*\n{MIT}*/\n", "MIT"),
        (
            "# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0.\n",
            "MPL-2.0",
        ),
        ("# Licensed under CC BY-NC 4.0\n", "CC-BY-NC-4.0"),
        (NC_SA, "CC-BY-NC-SA-4.0"),
        ("// For non-commercial use only.\n", None),
        ("# 仅供学习，禁止商用\n", None),
        (f"# {ASL}\n# Academic use only.\n", None),
        ("# This file is not covered by the license of this repository.\n", None),
        ("/* PROPRIETARY AND CONFIDENTIAL */\n", PROPRIETARY),
        ("# Unauthorized copying of this file is strictly prohibited.\n", PROPRIETARY),
        ("# May not be copied or distributed without the consent of the owner.\n", PROPRIETARY),
        ("// 未经作者书面许可，不得复制本文件\n", PROPRIETARY),
        # These say nothing of their own: the repository's licence holds.
        ("# Copyright 2024 A. All rights reserved.\n", "BSD-3-Clause"),
        ("# Use of this source is governed by a BSD-style license in the LICENSE file.\n", "BSD-3-Clause"),
        ("text = 'released under the GPL v3'\n", "BSD-3-Clause"),
        ("# Not licensed under the GPL; GPL-compatible.\n", "BSD-3-Clause"),
        ("# Reads a proprietary format. Licences of fonts are ignored.\n", "BSD-3-Clause"),
        ("# Free for commercial and non-commercial use.\n", "BSD-3-Clause"),
        ('"""For internal use only: use `open` instead. License keys are checked."""\n', "BSD-3-Clause"),
    ],
)
def test_a_notice_goes_before_the_repository(tmp_path: Path, head: str, expected: str | None) -> None:
    repository = {"LICENSE": b"SPDX-License-Identifier: BSD-3-Clause\n", "a.py": f"{head}a = 1\n".encode()}
    tree = write(tmp_path / "a", repository)
    assert records(tree, licenses=EVERYTHING)["a.py"].license == expected
    permissive = {"Apache-2.0", "MIT", "BSD-3-Clause", "Apache-2.0 OR MIT", "GPL-1.0-or-later OR MIT"}
    assert records(tree)["a.py"].gate == (None if expected in permissive else "code.license")


OFFERED = "This program is also available under a commercial proprietary license. Write to sales@a.example.\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("/*\n" + GNU.format(" *", "", " *", "2", " *") + f" *\n * {OFFERED} */\n", "GPL-2.0-or-later"),
        ("// Licensed under the AGPL v3. Commercial licenses are available from A.\n", "AGPL-3.0-only"),
        ("# Released under the GPL v3 or, alternatively, a commercial licence.\n", "GPL-3.0-only"),
        (f"# {OFFERED}", PROPRIETARY),
        (
            "(* This file is distributed under the terms of  *)\n(* the GNU Lesser General Public License version *)\n"
            "(* 2.1, with an exception on linking.           *)\n",
            "LGPL-2.1-only",
        ),
        ("/* Licensed under the terms of */\n/* the GNU GPL, version 3.       */\nint a;\n", "GPL-3.0-only"),
        (
            "/* The code is licensed under the GNU Lesser General Public License. You may obtain a copy of the\n"
            " * GNU Lesser General Public License Version 2.1 or later from A. */\n",
            "LGPL-2.1-or-later",
        ),
        (
            "# You may redistribute it under the same terms as Perl itself.\n",
            "Artistic-1.0-Perl OR GPL-1.0-or-later",
        ),
        ("% Distributed under the LaTeX Project Public License, version 1.3c or later.\n", "LPPL-1.3c"),
        (
            "// Use is governed by the Business Source License. On the change date it will be\n"
            "// governed by version 2 or later of the General Public License.\n",
            "BUSL-1.1",
        ),
        ("/* Reset of styles\n   License: none (public domain)\n*/\n", "BSD-3-Clause"),
        (f"{'# A long account of formats. ' * 20}Some are proprietary\n", "BSD-3-Clause"),
        (
            f"# SPDX-License-Identifier: ISC\n# REUSE-IgnoreStart\nx = 'SPDX-License-Identifier: {'GPL-2.0'}'\n",
            "ISC",
        ),
        (
            "x = 1\n# REUSE-IgnoreStart\n# SPDX-License-Identifier: GPL-2.0\n# REUSE-IgnoreEnd\n"
            "# SPDX-License-Identifier: MIT\n",
            "MIT",
        ),
    ],
)
def test_notices_of_real_repositories(tmp_path: Path, head: str, expected: str) -> None:
    repository = {"LICENSE": b"SPDX-License-Identifier: BSD-3-Clause\n", "a.py": f"{head}a = 1\n".encode()}
    assert records(write(tmp_path / "a", repository), licenses=EVERYTHING)["a.py"].license == expected


def test_a_manifest_licence_does_not_stand_in_for_a_refusal(tmp_path: Path) -> None:
    tree = write(tmp_path / "a", {"a.py": b"# For academic use only (see licence).\na = 1\n"})
    assert records(tree, license="MIT", licenses=EVERYTHING)["a.py"].license is None


REUSE = """version = 1
[[annotations]]
path = ["src/**", "docs/*.md"]
SPDX-License-Identifier = "AGPL-3.0-only"
[[annotations]]
path = "src/more/*.py"
precedence = "aggregate"
SPDX-License-Identifier = ["ISC", "Zlib"]
[[annotations]]
path = "forced/**"
precedence = "override"
SPDX-License-Identifier = "CC0-1.0"
[[annotations]]
path = 'odd/\\*.py'
SPDX-License-Identifier = "not a licence"
"""
INNER = b'version = 1\n[[annotations]]\npath = "*.py"\nSPDX-License-Identifier = "GPL-3.0-only"\n'
OWN = b"# SPDX-License-Identifier: Apache-2.0\na = 1\n"


def test_what_reuse_says_of_a_file_goes_before_the_repository(tmp_path: Path) -> None:
    files = {
        "LICENSE": MIT.encode(),
        "REUSE.toml": REUSE.encode(),
        "a.py": b"a = 1\n",
        "src/a.py": b"a = 1\n",
        "src/own.py": OWN,
        "src/more/a.py": b"a = 1\n",
        "src/more/own.py": OWN,
        "forced/own.py": OWN,
        "docs/more/a.md": b"# A\n",
        "odd/*.py": b"a = 1\n",
        "odd/b.py": b"a = 1\n",
        "inner/REUSE.toml": INNER,
        "inner/a.py": b"a = 1\n",
        "broken/REUSE.toml": b"[[annotations\n",
        "broken/a.py": b"a = 1\n",
        "side.py": OWN,
        "side.py.license": b"SPDX-License-Identifier: CC-BY-NC-4.0\n",
        "blank.py": b"a = 1\n",
        "blank.py.license": "SPDX-FileCopyrightText: 2024 甲\n".encode(),
    }
    expected = {
        "a.py": "MIT",
        "src/a.py": "AGPL-3.0-only",
        "src/own.py": "Apache-2.0",
        "src/more/a.py": "ISC AND Zlib",
        "src/more/own.py": "Apache-2.0 AND (ISC AND Zlib)",
        "forced/own.py": "CC0-1.0",
        "docs/more/a.md": "MIT",
        "odd/*.py": None,
        "odd/b.py": "MIT",
        "inner/a.py": "GPL-3.0-only",
        "broken/a.py": None,
        "side.py": "CC-BY-NC-4.0",
        "blank.py": None,
    }
    plain = records(write(tmp_path / "a", files), licenses=EVERYTHING)
    assert {path: plain[path].license for path in expected} == expected
    archived = records(packed("gz", files, tmp_path / "a.tar.gz"), licenses=EVERYTHING)
    assert {path: archived[path].license for path in expected} == expected


@pytest.mark.parametrize("place", [".reuse/dep5", "debian/copyright"])
def test_a_copyright_file_in_debians_form_names_files(tmp_path: Path, place: str) -> None:
    stated = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: 2024 A\n"
        "License: Expat\n\nFiles: src/*\n test?.py\nCopyright: 2024 B\nLicense: GPL-2+ or Artistic\n the text\n\n"
        "Files: odd/*\nLicense: our-own\n"
    )
    names = ["a.py", "src/deep/a.py", "test1.py", "odd/a.py"]
    files = {place: stated.encode(), "LICENSE": b"Apache License " * 99, **dict.fromkeys(names, b"a = 1\n")}
    written = records(write(tmp_path / "a", files), licenses=EVERYTHING)
    choice = "GPL-2.0-or-later OR Artistic-1.0"
    assert [written[name].license for name in names] == ["MIT", choice, choice, None]


def test_all_spdx_lines_of_a_file_hold(tmp_path: Path) -> None:
    body = b"# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: GPL-3.0-only OR ISC\n"
    written = records(write(tmp_path / "a", {"a.py": body}), licenses=EVERYTHING)
    assert written["a.py"].license == "MIT AND (GPL-3.0-only OR ISC)"
