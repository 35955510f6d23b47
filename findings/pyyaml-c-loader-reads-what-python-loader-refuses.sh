#!/usr/bin/env bash
# PyYAML's loader over libyaml reads files that its loader in Python refuses, and gives one of them another value.
#
# Expected: CSafeLoader is SafeLoader made faster: PyYAML's documentation offers it as a drop-in, for the same input
#   the same value or the same error.
# Happens: a tab behind a key's colon, a comment right behind `|` and `?` in a flow mapping's key are read by one and
#   errors to the other; a lone `!` is null to the one in Python and an empty string to the one in C.
# Matters: a tool that changes to the faster loader accepts files that colleagues without libyaml cannot read, and a
#   value that was missing becomes text. Whoever wants both the speed and the same answers must look for these signs.
# Versions: PyYAML 6.0.3 (its wheel's libyaml); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "PyYAML==6.0.3" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import yaml


def load(text, loader):
    try:
        return repr(yaml.load(text, loader))
    except yaml.YAMLError as error:
        return type(error).__name__


for text in ("a:\t1\n", "a: |# why\n x\n", "a: {b?: 1}\n", "a: !\n", "a: 1\n"):
    print(f"{text!r}: Python {load(text, yaml.SafeLoader)}, libyaml {load(text, yaml.CSafeLoader)}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "'a:\\t1\\n': Python ScannerError, libyaml {'a': 1}
'a: |# why\\n x\\n': Python ScannerError, libyaml {'a': 'x\\n'}
'a: {b?: 1}\\n': Python ParserError, libyaml {'a': {'b?': 1}}
'a: !\\n': Python {'a': None}, libyaml {'a': ''}
'a: 1\\n': Python {'a': 1}, libyaml {'a': 1}" ]
