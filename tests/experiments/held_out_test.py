"""Held-out text is cut without loss and found again in documents; words of any script change places."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from corpus.errors import UserError
from corpus.experiments.held_out import (
    Clearing,
    HeldOutPiece,
    choose_pieces,
    cut_pieces,
    guess_language,
    read_declaration,
    read_neutral,
)
from corpus.experiments.shuffled import shuffle_words
from corpus.text.words import segment_words

THAI = "ชาวบ้านปลูกข้าวริมแม่น้ำและขายที่ตลาดทุกเช้าวันเสาร์เพื่อหาเงินส่งลูกเรียนหนังสือในเมือง"
CHINESE = "清晨的市场里，卖豆腐的老人把木桶排成一行，等着附近饭馆的伙计来取货，天亮之前就全部卖完了。"
RUSSIAN = "На рассвете рыбаки вернулись с пустыми сетями и долго спорили о том, куда ушла рыба этой осенью."
ARABIC = "عاد الصيادون عند الفجر بشباك فارغة وتجادلوا طويلا حول المكان الذي ذهبت إليه الأسماك هذا الخريف."
HINDI = "सुबह मछुआरे खाली जाल लेकर लौटे और देर तक इस बात पर बहस करते रहे कि इस शरद में मछलियाँ कहाँ चली गईं।"


@pytest.mark.parametrize("text", [THAI, CHINESE, RUSSIAN, ARABIC, HINDI])
def test_pieces_lose_nothing_and_are_of_a_size(text: str) -> None:
    lines = [f"{text} {number}" for number in range(60)]
    pieces = cut_pieces("\n".join(lines))
    assert "\n".join(pieces).split("\n") == lines
    assert all(512 <= len(piece.encode()) <= 4096 + 1024 for piece in pieces)
    assert "".join(cut_pieces(text * 200)) == text * 200
    assert max(len(piece.encode()) for piece in cut_pieces(text * 200)) <= 4096 + 1024
    assert cut_pieces("") == cut_pieces("\n \n") == []


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("debian-reference.zh-tw.txt.gz", "cmn_Hant"),
        ("book.pt-br.txt", "por"),
        ("eng.html", None),
        ("a.b.notes.txt", None),
        ("読本.ja.txt.xz", "jpn"),
    ],
)
def test_a_files_name_states_its_language(name: str, language: str | None) -> None:
    assert guess_language(name) == language


def test_folders_and_lines_are_read_with_their_languages(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.zh-cn.txt").write_text("\n".join([CHINESE] * 9), encoding="utf-8")
    (folder / "two.txt.gz").write_bytes(gzip.compress("\n".join([RUSSIAN] * 9).encode()))
    rows = [{"body": THAI, "language": "th"}, {"body": ARABIC}]
    lines = tmp_path / "rows.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pieces = read_neutral([str(folder)]) + read_neutral([str(lines)], "body")
    assert {(piece.source, piece.language) for piece in pieces} == {
        ("texts", "cmn_Hans"),
        ("texts", "rus_Cyrl"),
        ("rows.jsonl", "tha_Thai"),
        ("rows.jsonl", "arb_Arab"),
    }
    with pytest.raises(UserError, match="no such file"):
        read_neutral([str(tmp_path / "missing.txt")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="there is no text"):
        read_neutral([str(tmp_path / "empty")])


def test_the_declaration_is_read_once_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "lang" / "udhr.tar.xz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:xz") as tar:
        for name, text in (
            ("cmn_hans", CHINESE),
            ("cmn_hans_harbin", CHINESE),
            ("rus", RUSSIAN),
            ("068", ARABIC),
        ):
            page = f"<html><head><title>x</title></head><body><h1>1 &amp; 2</h1><p>{text}</p></body>".encode()
            info = tarfile.TarInfo(f"declaration/{name}.html")
            info.size = len(page)
            tar.addfile(info, io.BytesIO(page))
    pieces = read_declaration(archive)
    assert [(piece.language, piece.text) for piece in pieces] == [
        ("rus_Cyrl", f"1 & 2\n{RUSSIAN}"),
        ("cmn_Hans", f"1 & 2\n{CHINESE}"),
    ]
    monkeypatch.setenv("CORPUS_DATA", str(tmp_path))
    assert read_neutral(["udhr"]) == pieces
    monkeypatch.delenv("CORPUS_DATA")
    with pytest.raises(UserError, match="set CORPUS_DATA"):
        read_neutral(["udhr"])


def test_every_language_has_its_share_and_small_ones_are_whole() -> None:
    pieces = [HeldOutPiece(source="web", language="eng_Latn", text=f"{n:04d}" * 256) for n in range(100)]
    pieces += [HeldOutPiece(source="web", language="tha_Thai", text=f"{n}{THAI}" * 5) for n in range(3)]
    chosen = choose_pieces(pieces, 20_000)
    sizes = Counter({p.language: 0 for p in pieces})
    for piece in chosen:
        sizes[piece.language] += len(piece.text.encode())
    small = sum(len(p.text.encode()) for p in pieces[100:])
    assert sizes["tha_Thai"] == small and 20_000 - small <= sizes["eng_Latn"] <= 21_100 - small
    assert chosen == choose_pieces(pieces[::-1], 20_000)


@pytest.mark.parametrize("text", [THAI, CHINESE, RUSSIAN, ARABIC, HINDI])
def test_documents_with_held_out_text_are_cleared_away(text: str) -> None:
    held = "\n".join(f"{text}{number * 7919}" for number in range(12))
    clearing = Clearing([held])
    assert clearing.holds(held)
    assert clearing.holds("Menu | Home\n" + held.replace("\n", " <br> ") + "\nfooter " * 40)
    assert clearing.holds(held.upper())
    assert not clearing.holds("\n".join(other for other in (THAI, CHINESE, RUSSIAN, ARABIC) if other != text))
    assert not clearing.holds("")


@pytest.mark.parametrize("text", [THAI, CHINESE, RUSSIAN, ARABIC, HINDI])
def test_a_share_of_the_words_changes_places(text: str) -> None:
    whole = shuffle_words(text, 1.0, 1)
    assert whole != text and len(whole.encode()) == len(text.encode())
    assert Counter(whole) == Counter(text)
    words = len(segment_words(text))
    assert words >= 12
    third = shuffle_words("\n".join([text] * 40), 0.3, 1).split("\n")
    assert shuffle_words(text, 0.3, 7) == shuffle_words(text, 0.3, 7) != shuffle_words(text, 0.3, 8)
    assert sum(line == text for line in third) < 8
    assert shuffle_words(text, 0.0, 1) == text
    signs = [c for c in text if not c.isalnum() and not ord(c) > 0x300]
    assert [c for c in whole if not c.isalnum() and not ord(c) > 0x300] == signs


def test_neutral_text_is_composed_as_that_of_a_corpus_is(tmp_path: Path) -> None:
    line = "Mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi."
    (tmp_path / "a.vi.txt").write_text(unicodedata.normalize("NFD", line) + " \r\n", encoding="utf-8")
    (piece,) = read_neutral([str(tmp_path)])
    assert piece.text == line
