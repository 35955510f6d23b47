"""Token shards in the format of nanoGPT: train.bin and val.bin, concatenated little-endian tokens without a header.

```
OUT/train.bin  OUT/val.bin       uint16 (uint32 above 65,536 tokens), every document closed by end-of-text
OUT/meta.pkl                     {"vocab_size": N}, from which nanoGPT takes the size of its model
OUT/tokenizer.json               the tokenizer of the tokens
OUT/export.json                  tokens, documents, dtype, end-of-text, sha256
```
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.export.target import check_folder, claim_folder, write_description
from corpus.suggestions import list_choices
from corpus.workspace import Workspace

BIN_FILE_NAMES = {"train": "train.bin", "valid": "val.bin"}


def export_bin(
    workspace: Workspace,
    out: str,
    source: str | None = None,
    language: str | None = None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the tokens of a workspace, or of one source or language of it; return the contents of export.json.

    Each document is written once, in the order of the shards: no mixture. A side without tokens has no file. Memory: a
    record batch (16 MB). Raises RunError if a shard differs from dataset.json, UserError if nothing is selected.
    """
    dataset = workspace.tokens()
    shards = [shard for shard in dataset["shards"] if source in (None, shard["source"])]
    if not dataset["shards"]:
        raise UserError(f"{workspace.root} has no tokens: no document was kept, `corpus stats` shows why")
    if not shards:
        known = list_choices(str(source), sorted({shard["source"] for shard in dataset["shards"]}))
        raise UserError(f"no tokens from the source {source}: {known}")
    out = check_folder(out)
    claim_folder(out, [*BIN_FILE_NAMES.values(), "meta.pkl", "tokenizer.json"])
    dtype = np.dtype(dataset["dtype"]).newbyteorder("<")
    files: dict[str, dict[str, Any]] = {}
    done = 0
    for side, name in BIN_FILE_NAMES.items():
        sizes = {"documents": 0, "tokens": 0}
        path = storage.join(out, name)
        with storage.atomic_output(path) as stream:
            for shard in (shard for shard in shards if shard["split"] == side):
                for rows, tokens in read_shard_tokens(workspace, shard, language):
                    stream.write(tokens.astype(dtype, copy=False).tobytes())
                    sizes["documents"] += rows
                    sizes["tokens"] += len(tokens)
                done += 1
                show(done, len(shards))
        if sizes["tokens"]:
            files[name] = sizes
        else:
            storage.remove(path)
    if not files:
        raise UserError(
            f"{workspace.root} has no tokens in {language}: `corpus stats --by language` shows which"
        )
    storage.write_bytes(
        storage.join(out, "meta.pkl"), pickle.dumps({"vocab_size": dataset["vocabulary_size"]}, protocol=4)
    )
    storage.write_bytes(
        storage.join(out, "tokenizer.json"), storage.read_bytes(workspace.path("tokenizer", "tokenizer.json"))
    )
    files |= {"meta.pkl": {}, "tokenizer.json": {}}
    kept = ("name", "vocabulary_size", "end_of_text")
    description = {"export": "bin", "dtype": dataset["dtype"], **{name: dataset[name] for name in kept}}
    return write_description(out, description, files)


def read_shard_tokens(
    workspace: Workspace, shard: dict[str, Any], language: str | None = None
) -> Iterator[tuple[int, np.ndarray[Any, np.dtype[Any]]]]:
    """Yield (documents, their concatenated tokens) per record batch of a shard, optionally of one language only.

    Raises RunError if the shard has other rows or tokens than dataset.json states.
    """
    path = workspace.path("tokens", shard["path"])
    rows = tokens = 0
    with storage.open_input(path) as stream:
        try:
            file = pa.ipc.open_file(stream)
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                rows += batch.num_rows
                tokens += len(batch.column("tokens").flatten())
                if language is not None:
                    label = batch.column("language")
                    batch = batch.filter(
                        pc.or_(pc.equal(label, language), pc.starts_with(label, f"{language}_"))
                    )
                yield batch.num_rows, batch.column("tokens").flatten().to_numpy()
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(
                f"{path} cannot be read ({str(error).splitlines()[0]}): build the tokens again"
            ) from None
    if (rows, tokens) != (shard["rows"], shard["tokens"]):
        raise RunError(
            f"{path} holds {tokens:,} tokens where dataset.json says {shard['tokens']:,}: build again"
        )
