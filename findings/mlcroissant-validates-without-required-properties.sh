#!/usr/bin/env bash
# mlcroissant validates a Croissant file that lacks properties which the format requires, the licence among them.
#
# Expected: "mlcroissant validate" fails on a description without name, description, licence, URL, creator, date of
#   publication or distribution: the format (1.0 and 1.1) lists the first six as those which must be given for every
#   dataset, and makes the last one required.
# Happens: it exits with 0, whichever of them is missing, and also when all are. It calls licence and date recommended,
#   and says nothing of the others. A file object without its contentUrl is an error.
# Matters: "it validates" says nothing about whether a data set may be used: a licence has to be asked for by oneself.
# Versions: mlcroissant 1.1.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "mlcroissant==1.1.1" 2>/dev/null
cat > "$folder/write.py" <<'PYTHON'
import json
import sys

missing = sys.argv[1].split(",")
dataset = {
    "@context": {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
    },
    "@type": "sc:Dataset",
    "conformsTo": "http://mlcommons.org/croissant/1.1",
    "name": "ships",
    "description": "Sentences on ships.",
    "license": "https://spdx.org/licenses/CC0-1.0.html",
    "url": "https://example.org/ships",
    "creator": {"@type": "sc:Organization", "name": "Example"},
    "datePublished": "2026-01-01",
    "distribution": [
        {
            "@type": "cr:FileObject",
            "@id": "ships.csv",
            "name": "ships.csv",
            "contentUrl": "https://example.org/ships.csv",
            "encodingFormat": "text/csv",
            "sha256": "0" * 64,
        }
    ],
}
for key in missing:
    dataset.pop(key, None)
    dataset.get("distribution", [{}])[0].pop(key, None)
print(json.dumps(dataset))
PYTHON
all=name,description,license,url,creator,datePublished,distribution
shown=$(for missing in nothing ${all//,/ } $all contentUrl; do
  "$folder/venv/bin/python" "$folder/write.py" "$missing" > "$folder/croissant.json"
  status=0
  said=$("$folder/venv/bin/mlcroissant" validate --jsonld "$folder/croissant.json" 2>&1) || status=1
  named=$(for key in ${missing//,/ }; do
    grep -oE "/$key\" is (recommended|mandatory)" <<< "$said" || true
  done | tr -d '/"' | sort -u)
  echo "without $missing: exit $status${named:+, ${named//$'\n'/, }}"
done)
echo "$shown"
[ "$shown" = "without nothing: exit 0
without name: exit 0
without description: exit 0
without license: exit 0, license is recommended
without url: exit 0
without creator: exit 0
without datePublished: exit 0, datePublished is recommended
without distribution: exit 0
without $all: exit 0, datePublished is recommended, license is recommended
without contentUrl: exit 1, contentUrl is mandatory" ]
