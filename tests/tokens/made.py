"""Workspaces made by hand: documents and decisions, as a build would have written them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corpus.document import Document, content_hash, document_id
from corpus.document_schema import DOCUMENTS_SCHEMA, to_documents_batch
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter
from corpus.workspace import Workspace

DECISIONS = pa.schema(
    [
        pa.field("gate", pa.string()),
        pa.field("failed_rules", pa.list_(pa.string())),
        pa.field("duplicate_of", pa.string()),
        pa.field("split", pa.string()),
        pa.field("kept", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Doc:
    """A document and its fate: `side` is train, valid, or None for a document that was dropped."""

    text: str | None
    language: str | None = "eng_Latn"
    side: str | None = "train"


def make_workspace(
    root: Path, splits: Mapping[tuple[str, str], Sequence[Doc]], rows_a_group: int = 5
) -> Workspace:
    """A workspace with the documents and decisions of every split."""
    workspace = Workspace.create(str(root))
    for (source, split), docs in splits.items():
        write_split(workspace, source, split, docs, rows_a_group)
    return workspace


def write_split(
    workspace: Workspace, source: str, split: str, docs: Sequence[Doc], rows_a_group: int = 5
) -> None:
    """One split's documents and decisions."""
    rows = [
        Document(
            id=document_id(source, f"{split}/{number}"),
            file=f"{split}.txt",
            offset=number,
            length=1,
            text=doc.text,
            content_hash=content_hash(doc.text) if doc.text is not None else None,
            language=doc.language,
            gate=None if doc.text is not None else "url.blocked",
        )
        for number, doc in enumerate(docs)
    ]
    decided = [
        {
            "gate": row.gate,
            "failed_rules": [],
            "duplicate_of": None,
            "split": doc.side,
            "kept": doc.side is not None,
        }
        for row, doc in zip(rows, docs, strict=True)
    ]
    made_by = fingerprint([[doc.text, doc.language] for doc in docs])
    documents = workspace.part("documents", source, split)
    decisions = workspace.part("decisions", source, split)
    with (
        PartWriter(documents, DOCUMENTS_SCHEMA, made_by) as writer,
        PartWriter(decisions, DECISIONS, fingerprint([made_by, [doc.side for doc in docs]])) as beside,
    ):
        for at in range(0, len(rows), rows_a_group):
            writer.write(to_documents_batch(rows[at : at + rows_a_group]))
            beside.write(pa.Table.from_pylist(decided[at : at + rows_a_group], DECISIONS))
        beside.state_outcome(fingerprint([doc.side for doc in docs]))


TEXTS = {
    "eng_Latn": "The quick brown fox doesn't jump over 12345 lazy dogs; it's tired.\n\nNext line,  two spaces.",
    "deu_Latn": "Die Donaudampfschifffahrtsgesellschaft wurde 1829 gegründet – sagt man. Straße, Größe, Übung.",
    "rus_Cyrl": "Все люди рождаются свободными и равными в своём достоинстве и правах.",
    "arb_Arab": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق، وقد وُهبوا عقلًا وضميرًا.",
    "hin_Deva": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "tha_Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ๑๒๓๔",
    "cmn_Hans": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，用Python写的2024年代码。",
    "cmn_Hant": "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。",
    "jpn_Jpan": "すべての人間は、生まれながらにして自由であり、コンピューターとデータ。",
    "kor_Hang": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "amh_Ethi": "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።",
    "pes_Arab": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت با هم برابرند.",
}
"""A sentence or two in twelve languages, with what trips tokenizers: digits, marks, joiners, mixed scripts."""


def corpus_of(copies: int, side_of_last: str = "valid") -> list[Doc]:
    """Every text `copies` times, each copy different, the last of a language on its own side."""
    return [
        Doc(f"{text} {number}", language, side_of_last if number == copies - 1 else "train")
        for number in range(copies)
        for language, text in TEXTS.items()
    ]
