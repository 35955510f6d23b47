#!/usr/bin/env bash
# protego applies a group of robots.txt to every crawler whose name begins with the group's, and not to a name with a version.
#
# Expected: RFC 9309, 2.2.1: a crawler finds the group whose product token equals its own, whatever the case; if none
#   does, the group for all. A token is letters, `_` and `-`, so that of `foo/1.0` is `foo`.
# Happens: the group of `foo` is taken for `foobar` and for `foo-images`, in place of that for all: more is allowed than
#   the site says, or less. A group written as `foo/1.0` is none of `foo`.
# Matters: crawlers that obey robots.txt through protego and are called by a word and more: `corpus` beside `corpus-fetch`,
#   `cc` beside `ccbot`, or `google` beside `googleother`.
# Versions: protego 0.7.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "protego==0.7.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from protego import Protego

for group, rule, others in (("foo", "Allow", "Disallow"), ("foo", "Disallow", "Allow"), ("foo/1.0", "Disallow", "Allow")):
    text = f"User-agent: {group}\n{rule}: /\n\nUser-agent: *\n{others}: /\n"
    rules = Protego.parse(text)
    answers = {name: rules.can_fetch("https://example.org/", name) for name in ("foo", "foobar", "foo-images", "barfoo")}
    print(f"{group} {rule.lower()}s, all others {others.lower()}: {answers}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "foo allows, all others disallow: {'foo': True, 'foobar': True, 'foo-images': True, 'barfoo': False}
foo disallows, all others allow: {'foo': False, 'foobar': False, 'foo-images': False, 'barfoo': True}
foo/1.0 disallows, all others allow: {'foo': True, 'foobar': True, 'foo-images': True, 'barfoo': True}" ]
