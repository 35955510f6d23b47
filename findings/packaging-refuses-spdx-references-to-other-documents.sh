#!/usr/bin/env bash
# packaging refuses licence expressions that name a licence of another document, or an addition of one's own.
#
# Expected: a library for SPDX expressions takes what the specification's annex on them allows: `DocumentRef-x:` before
#   a `LicenseRef-`, and `AdditionRef-x` behind `WITH`, as it takes a `LicenseRef-` alone.
# Happens: `LicenseRef-a` is valid; `DocumentRef-a:LicenseRef-b` and `MIT WITH AdditionRef-x` raise
#   InvalidLicenseExpression.
# Matters: who reads licences of source code with it (SPDX-License-Identifier lines, package metadata) takes files with
#   a stated licence for files with a wrong one, and drops them.
# Versions: packaging 26.3; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "packaging==26.3" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

for expression in (
    "LicenseRef-a",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "DocumentRef-a:LicenseRef-b",
    "MIT WITH AdditionRef-x",
):
    try:
        print(f"{expression}: {canonicalize_license_expression(expression)}")
    except InvalidLicenseExpression:
        print(f"{expression}: invalid")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "LicenseRef-a: LicenseRef-a
GPL-2.0-only WITH Classpath-exception-2.0: GPL-2.0-only WITH Classpath-exception-2.0
DocumentRef-a:LicenseRef-b: invalid
MIT WITH AdditionRef-x: invalid" ]
