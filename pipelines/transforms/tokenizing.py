"""Encode the texts of documents as tokens."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from corpus.errors import UserError
from corpus.pipelines.beam.types import PCollection, Transform, par_do
from corpus.pipelines.transforms.elements import TokensRow, to_document
from corpus.storage import is_remote, read_bytes
from corpus.tokens.encode import Encoder, load_encoder


class Tokenize(Transform):
    """Encode every document that has a text: to `TokensRow`; documents without one give nothing.

    `tokenizer` is the path of a tokenizer.json of Hugging Face tokenizers. A local one is read here and sent to the
    workers with the pipeline, compressed (2 to 3 MB for 128,000 tokens); a remote one (`gs://`, `s3://`, `https://`)
    is read by every worker. `end_of_text` names its token that ends documents, where that has an unusual name; none
    is appended.

    Raises UserError, in one line, if the file is missing or no tokenizer. Cost: see `corpus docs speed`.
    """

    def __init__(self, tokenizer: str, end_of_text: str | None = None) -> None:
        super().__init__()
        try:
            content = read_bytes(tokenizer)
        except OSError as error:
            raise UserError(f"Tokenize: cannot read {tokenizer}: {error.strerror or error}") from None
        encoder = load_encoder(tokenizer, end_of_text)
        if encoder.engine == "tiktoken" and not encoder.engines_agree():
            encoder = Encoder(content, end_of_text, "tokenizers")
        packed = tokenizer if is_remote(tokenizer) else zlib.compress(content)
        self.work = _EncodeEach(packed, encoder.sha256, encoder.end_of_text_token, encoder.engine)

    def expand(self, documents: PCollection[Any]) -> Any:
        return documents | "Encode" >> par_do(self.work, TokensRow)


class _EncodeEach(beam.DoFn):
    def __init__(self, packed: bytes | str, sha256: str, end_of_text: str, engine: str) -> None:
        self.packed, self.sha256, self.end_of_text, self.engine = packed, sha256, end_of_text, engine

    def setup(self) -> None:
        content = read_bytes(self.packed) if isinstance(self.packed, str) else zlib.decompress(self.packed)
        self.encoder = Encoder(content, self.end_of_text, self.engine)
        if self.encoder.sha256 != self.sha256:
            raise UserError(f"{self.packed!r} changed after the pipeline was built: start it again")

    def process(self, element: Any) -> Iterator[TokensRow]:
        document = to_document(element)
        if document.text is not None:
            yield TokensRow(document.id, self.encoder.encode(document.text).tolist())
