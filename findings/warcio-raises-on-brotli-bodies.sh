#!/usr/bin/env bash
# warcio's content_stream raises on every body in Brotli, with the package brotli, which it imports.
#
# Expected: a response with `Content-Encoding: br` is read as one with `gzip` is: warcio has a decompressor for it, and
#   sets it up where `import brotli` succeeds. (Its extra `all` names brotlipy, an older package with that module.)
# Happens: read() raises AttributeError, "'brotli.Decompressor' object has no attribute 'unused_data'", for short and
#   long bodies; raw_stream gives the compressed bytes, from which brotli itself has the text. gzip is read as expected.
# Matters: archives of browsers' traffic have Brotli in most records; a loop that does not expect this error ends with
#   the first, and one that expects any loses the pages in silence.
# Versions: warcio 1.8.1, brotli 1.2.1 and 1.1.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/probe.py" <<'PYTHON'
import gzip
import io

import brotli
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

for repeats in (1, 5000):
    text = ("<p>A lake below two hills. 山下有湖。" * repeats).encode()
    for name, body in (("gzip", gzip.compress(text)), ("br", brotli.compress(text))):
        file = io.BytesIO()
        writer = WARCWriter(file, gzip=True)
        head = StatusAndHeaders(
            "200 OK", [("Content-Type", "text/html"), ("Content-Encoding", name)], protocol="HTTP/1.1"
        )
        writer.write_record(
            writer.create_warc_record("http://example.org/", "response", io.BytesIO(body), http_headers=head)
        )
        for raw in (False, True):
            file.seek(0)
            record = next(iter(ArchiveIterator(file)))
            try:
                got = (record.raw_stream if raw else record.content_stream()).read()
                result = "the text" if got == text else "the body as it was" if got == body else "something else"
            except AttributeError as error:
                result = f"AttributeError: {error}"
            print(repeats, name, "raw" if raw else "content", "->", result)
PYTHON
wanted="1 gzip content -> the text
1 gzip raw -> the body as it was
1 br content -> AttributeError: 'brotli.Decompressor' object has no attribute 'unused_data'
1 br raw -> the body as it was
5000 gzip content -> the text
5000 gzip raw -> the body as it was
5000 br content -> AttributeError: 'brotli.Decompressor' object has no attribute 'unused_data'
5000 br raw -> the body as it was"
for version in 1.2.1 1.1.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet "warcio==1.8.1" "brotli==$version" 2>/dev/null
  shown=$("$folder/$version/bin/python" "$folder/probe.py")
  echo "brotli $version:"
  echo "$shown"
  [ "$shown" = "$wanted" ]
done
