"""No dependency is under the GPL or the AGPL: every installed package, or one of the licences it offers."""

from __future__ import annotations

import json
import re
import subprocess
import sys

COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser General Public", re.IGNORECASE)
CHOSEN = {"tld": "MPL-1.1"}
"""Packages offered under several licences, and the one we take."""
KNOWN = {
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",  # no files of its own; torch's wheel for Linux brings it
    "pycld2": "Apache-2.0",
    "regex": "Apache-2.0 AND CNRI-Python",
    "tiktoken": "MIT",
}
"""Packages whose metadata name no licence, and what their licence file says."""


def main() -> int:
    listing = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--format=json", "--from=all", "--with-system"],
        capture_output=True,
        text=True,
        check=True,
    )
    wrong = []
    packages = json.loads(listing.stdout)
    for package in packages:
        name = package["Name"]
        if name in CHOSEN or name in KNOWN:
            continue
        fields = [
            str(package.get(f"License-{kind}", "UNKNOWN"))
            for kind in ("Expression", "Metadata", "Classifier")
        ]
        given = next((text for text in fields if text.strip() not in ("", "UNKNOWN") and len(text) < 300), "")
        offered = [text for text in re.split(r"\bOR\b|;", given) if text.strip()]
        if not offered:
            wrong.append(
                f"{name}: no licence named: read its licence file, then add it to KNOWN in {__file__}"
            )
        elif all(COPYLEFT.search(text) and not LESSER.search(text) for text in offered):
            wrong.append(f"{name}: {given[:200]}")
    print("\n".join(wrong) or f"licences: none of {len(packages)} packages is under the GPL or AGPL")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
