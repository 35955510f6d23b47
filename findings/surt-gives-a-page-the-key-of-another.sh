#!/usr/bin/env bash
# surt gives different pages one key: it cuts what looks like a session id out of other parameters, and `www` off `www.com`.
#
# Expected: keys of one page in several spellings are equal, those of different pages differ. A session id is a parameter
#   of that name, and goes with its name and `&`; `www.` is dropped of a host that has a name besides.
# Happens: a parameter whose name ends in `sid` loses the `sid` and 32 letters of its value (`?fossid=...` is `?fos`); behind
#   other parameters a `&` stays and is sorted to the front; `www.com` is `com)/`, the key of the whole top-level domain.
# Matters: indexes of web archives (CDX) are sorted by these keys, Common Crawl's among them: who looks a page up by a key
#   of one's own making does not find it, and who compares keys takes pages for captures of one.
# Versions: surt 0.3.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "surt==0.3.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from surt import surt

ID = "0123456789abcdef" * 2
for address in (
    f"http://example.org/?sid={ID}",
    f"http://example.org/?fossid={ID}",
    "http://example.org/?fos",
    f"http://example.org/?page=2&sid={ID}",
    "http://www.com/",
    "http://com/",
):
    print(address.replace(ID, "..."), surt(address))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "http://example.org/?sid=... org,example)/
http://example.org/?fossid=... org,example)/?fos
http://example.org/?fos org,example)/?fos
http://example.org/?page=2&sid=... org,example)/?&page=2
http://www.com/ com)/
http://com/ com)/" ]
