"""corpus: multilingual pre-training corpora, from raw dumps to token shards, every decision on record.

The packages, in the order in which data meets them:

    pipelines/   the build, its Beam pipelines, and the command line (a link to the folder at the top level)
    web/         index look-ups and fetching of web pages
    sources/     source kinds: input files to records
    formats/     readers of file formats: archives, encodings, XML, YAML
    storage/     local paths and fsspec URLs, atomic writes, fingerprints
    extract/     the text of a record
    languages/   language and script of a text
    text/        words, scripts, n-grams, one tokenized view of a document
    filters/     signals of a document (a link, too)
    classifier/  quality classifiers
    rules/       bounds on signals, presets
    dedup/       duplicates: exact, by URL, by MinHash
    ledger/      counts of what every stage and rule did
    tokens/      tokenizer, token shards, mixture
    verify/      checks of a finished workspace
    inspect/     samples, report, curves
    export/      text and tokens for other tools
    trainer/     train a GPT on the token shards
    inference/   use a trained model

The files of this folder, which the packages share:

    manifest.py       read and check a manifest
    workspace.py      the paths and results of a workspace
    document.py       records, documents, reasons for quarantine; Arrow schemas
    groups.py         groups, and the hash that puts each in training or validation
    progress.py       status.json, timings.json, progress of a stage
    data.py           the paths of data files: rules, languages, word lists
    errors.py         errors for the person at the terminal
    extras.py         how to install optional dependencies
    child_process.py  start Python processes that find the same modules
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.workspace import Workspace

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(root: str) -> Workspace:
    """The workspace at `root` (a folder or any fsspec URL), its results as Arrow datasets.

    >>> corpus.open("demo-workspace").documents().count_rows()   # doctest: +SKIP
    """
    from corpus.workspace import Workspace

    return Workspace.open(root)
