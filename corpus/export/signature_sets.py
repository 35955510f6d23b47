"""Signatures of kept documents without their texts, as sets that later builds are compared with.

```
OUT/source=NAME/part-SPLIT.arrow   id, content_hash, url_key, minhash: see corpus/dedup/signature_set.py
OUT/export.json                    documents and sha256 of every file
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from corpus import storage
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.signature_set import SET_EXTENSION, serialize_signatures, set_schema
from corpus.dedup.signatures import SIGNATURE_BATCH_ROWS, read_signatures
from corpus.dedup.url_key import hash_urls
from corpus.errors import UserError
from corpus.export.target import check_folder, claim_folder, write_description
from corpus.suggestions import list_choices
from corpus.workspace import Workspace


def export_signatures(
    workspace: Workspace,
    out: str,
    source: str | None = None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the signatures of the kept documents of a workspace, or of one source; return the contents of export.json.

    Memory: the signatures of an input split. Raises UserError where there are none.
    """
    options = _read_options(workspace)
    splits = [split for split in workspace.splits() if source in (None, split[0])]
    if not splits:
        known = list_choices(str(source), sorted({name for name, _ in workspace.splits()}))
        raise UserError(f"no source {source}: {known}")
    out = check_folder(out)
    names = {split: f"source={split[0]}/part-{split[1]}{SET_EXTENSION}" for split in splits}
    claim_folder(out, list(names.values()))
    files: dict[str, dict[str, Any]] = {}
    for done, (split, name) in enumerate(names.items()):
        rows = _build_rows(workspace, *split, options)
        with (
            storage.atomic_output(storage.join(out, name)) as stream,
            pa.ipc.new_file(stream, rows.schema) as writer,
        ):
            writer.write_table(rows, max_chunksize=SIGNATURE_BATCH_ROWS)
        files[name] = {"documents": rows.num_rows}
        show(done + 1, len(names))
    documents = sum(file["documents"] for file in files.values())
    description = {"export": "signatures", "documents": documents, "minhash": options.model_dump(mode="json")}
    return write_description(out, description, files)


def _read_options(workspace: Workspace) -> MinHashOptions:
    manifest = yaml.safe_load(storage.read_text(workspace.path("manifest.yaml")))
    minhash = DedupOptions.model_validate(manifest.get("dedup") or {}).minhash
    if minhash is None:
        raise UserError(f"{workspace.root} has no signatures: it was built without `dedup.minhash`")
    return minhash


def _build_rows(workspace: Workspace, source: str, split: str, options: MinHashOptions) -> pa.Table:
    with storage.open_input(workspace.part("decisions", source, split)) as stream:
        kept = pq.read_table(stream, columns=["kept"]).column("kept").to_numpy()
    with storage.open_input(workspace.part("documents", source, split)) as stream:
        documents = pq.read_table(stream, columns=["id", "content_hash", "url"])
    row = np.flatnonzero(kept)
    documents = documents.take(row).combine_chunks()
    path = workspace.part("dedup/signatures", source, split, "arrow")
    values = read_signatures(path, row, options)
    columns = [
        documents.column("id"),
        documents.column("content_hash"),
        pa.array(hash_urls(documents.column("url"))),
        serialize_signatures(values, options),
    ]
    return pa.Table.from_arrays(columns, schema=set_schema(options)).combine_chunks()
