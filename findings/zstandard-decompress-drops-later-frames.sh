#!/usr/bin/env bash
# zstandard's `decompress` returns the first frame of several, without a word on the others, which its streams read.
#
# Expected: a .zst file is a sequence of frames (RFC 8878, 3), whose contents are joined: two .zst files one after the
#   other are one, as with gzip and xz. One library reads it alike in one call and as a stream.
# Happens: `ZstdDecompressor().decompress(data)` ends with the first frame and returns it, `open` and `stream_reader`
#   return all, as pyarrow does. With `allow_extra_data=False` it raises; the default is True.
# Matters: pzstd and tools that compress in parallel or append write several frames; dumps and shards of corpora are such
#   files. What is read whole, in one call, is cut off and looks complete.
# Versions: zstandard 0.25.0, pyarrow 25.0.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "zstandard==0.25.0" "pyarrow==25.0.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import io

import pyarrow as pa
import zstandard

compressor, decompressor = zstandard.ZstdCompressor(), zstandard.ZstdDecompressor()
data = compressor.compress(b"one\n") + compressor.compress(b"two\n")
print("stream_reader:", decompressor.stream_reader(io.BytesIO(data)).read())
print("open:", zstandard.open(io.BytesIO(data), "rb").read())
print("pyarrow:", pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())
print("decompress:", decompressor.decompress(data))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "stream_reader: b'one\ntwo\n'
open: b'one\ntwo\n'
pyarrow: b'one\ntwo\n'
decompress: b'one\n'" ]
