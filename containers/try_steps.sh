#!/usr/bin/env bash
# Run the steps of the Dockerfile that need no Docker engine, in a folder: the wheel, an environment with it and what it
# needs, and the check of its start in a network namespace without any network. The base images are not tried.
#
#   containers/try_steps.sh FOLDER [PYTHON]
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
python=${2:-python3.11}
"$python" -m venv "$folder/venv"
pip=("$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check)
git -C "$checkout" archive HEAD | tar -x --one-top-level="$folder/checkout"
"${pip[@]}" install build
"$folder/venv/bin/python" -m build --wheel --outdir "$folder/wheels" "$folder/checkout" >/dev/null
wheel=$(ls "$folder"/wheels/corpusmill-*.whl)
"${pip[@]}" install --no-cache-dir -c "$checkout/constraints.txt" "$wheel[gcp,s3,code,resiliparse]"
cp "$checkout/containers/check_start.py" "$folder"
cd "$folder"
unshare -n "$folder/venv/bin/python" -I check_start.py
