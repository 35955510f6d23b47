"""corpus: multilingual pre-training corpora, from raw dumps to token shards, every decision on record.

What one does with it in Python:

    corpus.build("m.yaml", "out")       build a workspace, or resume it
    corpus.plan("m.yaml")               what a build would do, with a forecast
    corpus.open("out")                  a workspace: .documents(), .signals(STEP), .decisions(), .shards(), .stats(),
                                        and .torch() for training
    corpus.sample("out", 5)             documents drawn at random
    corpus.compare("out", {"gopher.words.min": 30})    what other rules would change
    corpus.decide("out", {"gopher.words.min": 30})     change them, without reading the input again

Plug-ins (see `corpus docs extending`) are made of `Source`, `Record`, `Failure`, `ExtractedText` and `Page`; errors are
`UserError` and `RunError`. Beam transforms are in `corpus.pipelines.transforms` (`corpus docs beam`).

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
    private/     private data in a text: addresses, phones, numbers of cards, accounts and identity
    clean/       lines that are no part of a text: boilerplate, line rules of known recipes
    decontamination/  items of evaluation sets in documents
    edits/       what may be cut from or masked in texts
    ledger/      counts of what every stage and rule did
    tokens/      tokenizer, token shards, mixture
    suffixes/    every place of a text in the token shards
    verify/      checks of a finished workspace
    inspect/     samples, report, curves
    export/      text and tokens for other tools
    trainer/     train a GPT on the token shards
    inference/   use a trained model
    experiments/  corpora compared by small models, larger runs predicted

The files of this folder, which the packages share:

    __main__.py       python -m corpus
    manifest.py       read and check a manifest
    manifest_mistakes.py  what is wrong in a manifest: validation, a line each
    api.py            the commands as functions: build, plan, decide, compare, sample
    workspace.py      the paths and results of a workspace
    document.py       records, documents, reasons for quarantine
    document_schema.py  Arrow schemas of documents and decisions parts
    holding.py        which documents hold evaluation items
    groups.py         groups by the address of a document
    suggestions.py    the name that was meant instead of an unknown one
    validation.py     the documents held out: fixed hashes, and the share of each language
    progress.py       status.json, timings.json, progress of a stage
    data.py           data files: rules, languages, word lists; a user's own beside the manifest
    plugins.py        find the plug-ins that a manifest names
    errors.py         errors for the person at the terminal
    freed_memory.py   memory that was freed, kept for what is needed next
    garbage_collection.py  no look for garbage where there can be none
    unicode_ranges.py  what every character of a range is, for tables
    environment.py    versions of Python and libraries that bytes depend on
    extras.py         how to install optional dependencies
    processor_time.py  processor seconds of a process and all below it
    child_process.py  start Python processes that find the same modules, and end them
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.api import build, compare, decide, plan, sample
    from corpus.document import Document, Failure, Record
    from corpus.errors import RunError, UserError
    from corpus.extract import ExtractedText
    from corpus.sources.source import Source
    from corpus.text.page import Page
    from corpus.workspace import Workspace

__version__ = "0.1.0"
__all__ = [
    "Document",
    "ExtractedText",
    "Failure",
    "Page",
    "Record",
    "RunError",
    "Source",
    "UserError",
    "Workspace",
    "__version__",
    "build",
    "compare",
    "decide",
    "open",
    "plan",
    "sample",
]

_MODULES = {
    **dict.fromkeys(("build", "compare", "decide", "plan", "sample"), "corpus.api"),
    **dict.fromkeys(("Document", "Failure", "Record"), "corpus.document"),
    **dict.fromkeys(("RunError", "UserError"), "corpus.errors"),
    "ExtractedText": "corpus.extract",
    "Source": "corpus.sources.source",
    "Page": "corpus.text.page",
    "Workspace": "corpus.workspace",
}
"""Public name -> its module, imported when the name is first used: `import corpus` takes 10 ms."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'corpus' has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def open(root: str | PathLike[str]) -> Workspace:
    """Open the workspace at `root` (a folder or any fsspec URL), its results as Arrow datasets.

    >>> corpus.open("demo-workspace").documents().count_rows()   # doctest: +SKIP
    """
    from corpus.workspace import Workspace

    return Workspace.open(root)
