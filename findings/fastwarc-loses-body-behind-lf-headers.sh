#!/usr/bin/env bash
# FastWARC gives an empty body for a response whose HTTP header lines end in LF alone.
#
# Expected: header lines that end in LF are accepted, as RFC 9112 (section 2.2) allows recipients, and as warcio does; or
#   the record is refused with an error.
# Happens: with parse_http=True the whole response becomes the status line, the reader is empty, and nothing is raised.
# Matters: pages of servers and archiving tools that write LF are lost without a trace, as if they were empty.
# Versions: fastwarc 2.0.1 (empty), warcio 1.8.1 (whole); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "fastwarc==2.0.1" "warcio==1.8.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import io

from fastwarc.warc import ArchiveIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator


def record(line_end):
    http = line_end.join([b"HTTP/1.1 200 OK", b"Content-Type: text/html", b"", b""]) + b"<p>Ships float.</p>"
    head = "\r\n".join(
        [
            "WARC/1.0",
            "WARC-Type: response",
            "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>",
            "WARC-Target-URI: http://example.org/",
            "WARC-Date: 2026-01-01T00:00:00Z",
            "Content-Type: application/http; msgtype=response",
            f"Content-Length: {len(http)}",
            "",
            "",
        ]
    )
    return head.encode() + http + b"\r\n\r\n"


for name, line_end in (("CRLF", b"\r\n"), ("LF", b"\n")):
    for one in ArchiveIterator(io.BytesIO(record(line_end)), parse_http=True):
        print(name, "fastwarc", one.reader.read().decode())
    for one in WarcioIterator(io.BytesIO(record(line_end))):
        print(name, "warcio", one.content_stream().read().decode())
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "CRLF fastwarc <p>Ships float.</p>
CRLF warcio <p>Ships float.</p>
LF fastwarc 
LF warcio <p>Ships float.</p>" ]
