"""An export as Croissant 1.0, the JSON-LD that describes data sets for machine learning: croissant.json.

Each configuration is a set of files, by patterns below the folder that croissant.json is in, and of records. Records of
JSON Lines compressed with zstd are left out: mlcroissant reads no zstd.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from corpus.export.configurations import Configuration
from corpus.export.file_writers import EXPORT_SCHEMA
from corpus.export.hub_names import name_hub_language

CROISSANT_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
            "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
        )
    },
}  # fmt: skip
"""The terms of the format, which it asks every file to repeat."""
MEDIA_TYPES = {"parquet": "application/x-parquet", "jsonl.zst": "application/jsonlines"}


def build_croissant(
    description: dict[str, Any],
    configurations: Sequence[Configuration],
    name: str,
    url: str | None,
    summary: str,
) -> str:
    """Return the contents of croissant.json for an export, by its description (export.json)."""
    format = description["format"]
    licenses = list(dict.fromkeys(row["license"] for row in description["licenses"] if row["license"]))
    languages = sorted({code for label in configurations[0].labels if (code := name_hub_language(label))})
    content: dict[str, Any] = {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": summary.replace("`", ""),
        **({"url": url} if url else {}),
        **({"license": licenses} if licenses else {}),
        "inLanguage": languages,
        "keywords": ["text", "pretraining", "corpusmill"],
        "distribution": [
            {
                "@type": "cr:FileSet",
                "@id": f"{each.name}-files",
                "name": f"{each.name}-files",
                "description": f"The files of {each.name}.",
                "encodingFormat": MEDIA_TYPES[format],
                "includes": [pattern for patterns in each.patterns.values() for pattern in patterns],
            }
            for each in configurations
        ],
    }
    if format == "parquet":
        content["recordSet"] = [_describe_records(each) for each in configurations]
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _describe_records(configuration: Configuration) -> dict[str, Any]:
    name, files = configuration.name, {"@id": f"{configuration.name}-files"}
    split = {
        "@type": "cr:Field",
        "@id": f"{name}/split",
        "dataType": "sc:Text",
        "source": {
            "fileSet": files,
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": "^([^/]+)/"},
        },
    }
    columns = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "dataType": "sc:Text",
            "source": {"fileSet": files, "extract": {"column": column}},
        }
        for column in EXPORT_SCHEMA.names
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{sum(configuration.documents.values()):,} documents",
        "field": [split, *columns],
    }
