#!/usr/bin/env bash
# FastWARC gives no date for a record whose WARC-Date is a year, a month or a day.
#
# Expected: WARC/1.1 allows a WARC-Date of any precision of the W3C's profile of ISO 8601, from "2026" to fractions of a
#   second; a reader gives the first moment of that span, or says that it cannot.
# Happens: record_date is None for a year, a month and a day; minutes, seconds and fractions are read. The type stubs
#   promise a datetime. The text is still in record.headers["WARC-Date"].
# Matters: archives made from older collections, whose days alone are known, lose their dates, or their reader fails far
#   from the cause; in a sort or a filter by date such records go to the wrong side.
# Versions: fastwarc 2.0.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "fastwarc==2.0.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import io

from fastwarc.warc import ArchiveIterator

DATES = ("2026", "2026-03", "2026-03-04", "2026-03-04T05:06Z", "2026-03-04T05:06:07Z", "2026-03-04T05:06:07.25Z")
for date in DATES:
    head = [
        "WARC/1.1",
        "WARC-Type: resource",
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>",
        "WARC-Target-URI: http://example.org/",
        f"WARC-Date: {date}",
        "Content-Type: text/plain",
        "Content-Length: 12",
        "",
        "Ships float.",
        "",
        "",
    ]
    for record in ArchiveIterator(io.BytesIO("\r\n".join(head).encode())):
        print(record.headers["WARC-Date"], "->", record.record_date)
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "2026 -> None
2026-03 -> None
2026-03-04 -> None
2026-03-04T05:06Z -> 2026-03-04 05:06:00+00:00
2026-03-04T05:06:07Z -> 2026-03-04 05:06:07+00:00
2026-03-04T05:06:07.25Z -> 2026-03-04 05:06:07.250000+00:00" ]
