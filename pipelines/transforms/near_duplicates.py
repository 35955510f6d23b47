"""Find the documents that another one replaces.

The steps are a build's (see `corpus.pipelines.dedup`), with what they read from a workspace joined in instead:

    documents  sign       rows and signatures                               -> block
    block      keys       rows                                              -> content hash range
    range      contents, same URL                                           -> block, merge
    block      bands      contents, signatures                              -> band hash range
    range      pairs      candidates                                        -> block of the higher
    block      ask        candidates, signatures: each pair once            -> block of the lower, with the signatures
    block      verify     candidates, signatures: similar ones are linked   -> merge, block
    (one)      merge      links to connected components                     -> block
    block      members    every document of a component                     -> block, component range
    block      ranks      memberships, rows                                 -> component range
    range      walk       which are kept, and which removed for whom        -> block of the kept one
    block      name       the ids of the kept ones                          -> documents, joined by id
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
from pydantic import ValidationError

from corpus.dedup.options import DedupOptions
from corpus.errors import UserError
from corpus.pipelines import dedup_steps as shared
from corpus.pipelines.beam.packed import Element, Gathered, Outbox
from corpus.pipelines.beam.types import (
    PCollection,
    Transform,
    coder_of,
    flat_map,
    flatten,
    group_by_key,
    is_windowed,
    keep_if,
    map_each,
    par_do,
    put_in_global_window,
)
from corpus.pipelines.dedup_steps import DedupPlan
from corpus.pipelines.transforms import duplicate_steps as own
from corpus.pipelines.transforms.elements import DocumentRow, to_document
from corpus.pipelines.transforms.reading import explain

SIGNED_TOGETHER = 32
"""Documents whose words are held together: signatures are cheaper in batches."""
DOCUMENT_MARK, KEPT_MARK = b"d", b"k"
"""What follows: an encoded document, or the id of the one that is kept in its place."""


class NearDuplicates(Transform):
    """Set `duplicate_of` of documents that another one replaces: the same text, the same URL, or similar words.

    The duplicates are those that a build finds among the same documents with these options (`exact`, `url`,
    `closure`, `max_group`, and `permutations`, `bands`, `rows`, `words`, `characters`, `lines`, `fold`, `seed`:
    see `corpus.dedup.options`), whatever the bundles, their order, and `partitions`. Of two duplicates that with the
    higher `priority` is kept, then that with the higher value of the signal `quality` if it is named, the longer
    text, the lower id. Documents without a text, and those with failed rules, take no part: they are passed on as
    they are. Documents with the same id are one document.

    Raises UserError, in one line, for a wrong option and for a collection in windows: duplicates are found among all
    documents, so they need the global window.

    Cost: .5 ms of CPU for a document of 300 words, half of it for its words and signature. Signatures (500 bytes) are
    shuffled three times, texts once. Memory: 3.5 KB for each document of a partition (give one partition for each
    250,000 documents), and for the one worker that merges, 75 bytes a link between near-duplicates.
    """

    def __init__(
        self,
        threshold: float = 0.7,
        *,
        exact: bool = True,
        url: bool = True,
        closure: str = "best",
        max_group: int = 256,
        quality: str | None = None,
        partitions: int = 32,
        **minhash: Any,
    ) -> None:
        super().__init__()
        try:
            options = DedupOptions.model_validate(
                {
                    "exact": exact,
                    "url": url,
                    "closure": closure,
                    "max_group": max_group,
                    "minhash": {"threshold": threshold, **minhash},
                }
            )
        except ValidationError as error:
            raise UserError(explain(error, "NearDuplicates")) from None
        if options.minhash is not None and options.minhash.containment is not None:
            raise UserError(
                "NearDuplicates: containment: documents inside longer ones are found in builds alone"
            )
        if partitions < 1:
            raise UserError(f"NearDuplicates: partitions: at least 1 is needed (it is {partitions})")
        self.quality = quality
        self.plan = DedupPlan(
            root="", options=options, splits=own.HASHED_SPLITS, partitions=partitions, digest=""
        )

    def expand(self, documents: PCollection[Any]) -> Any:
        if is_windowed(documents):
            raise UserError(
                "NearDuplicates compares all documents: put them into the global window before it "
                "(beam.WindowInto(beam.window.GlobalWindows()))"
            )
        each = documents | "Rows" >> map_each(to_document, output=DocumentRow)
        taking_part = each | "Taking part" >> keep_if(takes_part, output=DocumentRow)
        others = each | "Others" >> keep_if(takes_no_part, output=DocumentRow)
        kept = taking_part | "Find" >> _FindKept(self.plan, self.quality)
        by_id = taking_part | "By id" >> map_each(encode_document, output=tuple[str, bytes])
        joined = (
            (by_id, kept)
            | "Together" >> flatten()
            | "Join" >> group_by_key()
            | "Mark" >> flat_map(mark_documents, output=DocumentRow)
        )
        return (joined, others) | "All" >> flatten()


def takes_part(document: DocumentRow) -> bool:
    return document.text is not None and document.gate is None and not document.failed_rules


def takes_no_part(document: DocumentRow) -> bool:
    return not takes_part(document)


def encode_document(document: Any) -> tuple[str, bytes]:
    """Return (digest of the id, the document's bytes)."""
    row = to_document(document)
    return own.digest_id(row.id), DOCUMENT_MARK + coder_of(DocumentRow).encode(row)


def mark_documents(element: tuple[str, Iterable[bytes]]) -> Iterator[DocumentRow]:
    """Yield the documents of one id with the id of the one that is kept in their place."""
    kept: str | None = None
    rows: list[bytes] = []
    for value in element[1]:
        if value[:1] == KEPT_MARK:
            kept = value[1:].decode()
        else:
            rows.append(value[1:])
    for row in rows:
        yield coder_of(DocumentRow).decode(row)._replace(duplicate_of=kept)


def mark_kept(element: tuple[str, str]) -> tuple[str, bytes]:
    return element[0], KEPT_MARK + element[1].encode()


class _FindKept(Transform):
    """Documents to (digest of the id of a removed one, marked id of the kept one)."""

    def __init__(self, plan: DedupPlan, quality: str | None) -> None:
        super().__init__()
        self.plan, self.quality = plan, quality

    def expand(self, documents: PCollection[Any]) -> Any:
        plan = self.plan
        kinds = own.kinds_of(own.width_of(plan))

        def gather(name: str, *inputs: PCollection[Element]) -> PCollection[Gathered]:
            joined = inputs[0] if len(inputs) == 1 else inputs | f"{name}: together" >> flatten()
            gathered: PCollection[Gathered] = joined | f"{name}: gather" >> group_by_key()
            return gathered

        def step(
            name: str, function: Callable[..., Iterator[Element]], *inputs: PCollection[Element]
        ) -> PCollection[Element]:
            given = flat_map(function, plan, output=tuple[int, bytes])
            stepped: PCollection[Element] = gather(name, *inputs) | name >> given
            return stepped

        def only(kind: str, elements: PCollection[Element], reader: str) -> PCollection[Element]:
            chosen: PCollection[Element] = elements | f"{reader}: {kind}" >> keep_if(
                kinds.is_kind, kind, output=tuple[int, bytes]
            )
            return chosen

        signed = documents | "Sign" >> par_do(_SignDocuments(plan, self.quality), tuple[int, bytes])
        rows, signatures = only("rows", signed, "All"), only("signatures", signed, "All")
        names = signed | "All: names" >> keep_if(own.is_names, output=tuple[int, bytes])
        contents = step("Contents", shared.contents_step, step("Keys", own.keys_from_rows, rows))
        urls = step("Same URL", shared.same_url_step, only("urls", contents, "Same URL"))
        bands = step("Bands", own.bands_from_signatures, only("contents", contents, "Bands"), signatures)
        candidates = step("Pairs", shared.pairs_step, bands)
        asked = step("Ask", own.send_signatures, candidates, signatures)
        verified = step("Verify", own.compare_signatures, asked, signatures)
        roots = step("Merge", shared.merge_step, urls, only("links", verified, "Merge"))
        copies, edges = only("copies", contents, "Members"), only("edges", verified, "Members")
        members = step("Members", shared.members_step, roots, copies, edges)
        ranks = step("Ranks", own.ranks_from_rows, only("memberships", members, "Ranks"), rows)
        removed = step("Walk", shared.walk_step, ranks, only("edges", members, "Walk"))
        sent = removed | "To the kept" >> flat_map(own.send_to_kept, plan, output=tuple[int, bytes])
        return (
            gather("Name", sent, names)
            | "Name" >> flat_map(own.name_kept, output=tuple[str, str])
            | "Kept" >> map_each(mark_kept, output=tuple[str, bytes])
        )


class _SignDocuments(beam.DoFn):
    """Yield packed rows and signatures for the blocks of documents."""

    def __init__(self, plan: DedupPlan, quality: str | None) -> None:
        self.plan, self.quality = plan, quality

    def start_bundle(self) -> None:
        self.waiting: list[DocumentRow] = []
        self.outbox = Outbox(own.kinds_of(own.width_of(self.plan)))

    def process(self, element: Any) -> Iterator[Element]:
        self.waiting.append(to_document(element))
        if len(self.waiting) >= SIGNED_TOGETHER:
            yield from self._sign()

    def finish_bundle(self) -> Iterator[object]:
        for element in self._sign():
            yield put_in_global_window(element)
        for element in self.outbox.flush():
            yield put_in_global_window(element)

    def _sign(self) -> Iterator[Element]:
        waiting, self.waiting = self.waiting, []
        yield from own.sign_documents(waiting, self.plan, self.quality, self.outbox)
