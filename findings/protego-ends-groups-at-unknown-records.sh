#!/usr/bin/env bash
# protego ends a group of robots.txt at any record that it does not know, and at `Crawl-delay`.
#
# Expected: RFC 9309, 2.2.4: other records must not interfere with the parsing of groups, and do not end one. So names
#   before such a record and behind it are of one group, and its rules hold for all of them. protego's documentation
#   promises that RFC's rules, and protego keeps to this one at `Sitemap`.
# Happens: `User-agent: a`, a record, `User-agent: b`, `Disallow: /` forbids nothing to `a` where the record is
#   `Content-Signal`, `Noindex`, `Crawl-delay` or any nonsense. Python's own urllib.robotparser ends one at
#   the last alone.
# Matters: crawlers that obey robots.txt through protego, scrapy's among them. `Content-Signal` is what sites now write
#   about training, so it stands in just the files that a gatherer of training data has to obey.
# Versions: protego 0.7.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "protego==0.7.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from urllib.robotparser import RobotFileParser

from protego import Protego

PAGE = "https://example.org/page"
for record in ("Sitemap: https://example.org/s.xml", "Content-Signal: ai-train=no", "Noindex: /x", "Crawl-delay: 5"):
    text = f"User-agent: a\n{record}\nUser-agent: b\nDisallow: /\n"
    other = RobotFileParser()
    other.parse(text.splitlines())
    answers = [Protego.parse(text).can_fetch(PAGE, name) for name in "ab"]
    print(f"{record.partition(':')[0]}: a {answers[0]}, b {answers[1]}; urllib.robotparser: a {other.can_fetch('a', PAGE)}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "Sitemap: a False, b False; urllib.robotparser: a False
Content-Signal: a True, b False; urllib.robotparser: a False
Noindex: a True, b False; urllib.robotparser: a False
Crawl-delay: a True, b False; urllib.robotparser: a True" ]
