"""Project Gutenberg's books: what its volunteers put around them is off, what the header says is kept."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from corpus.document import Record
from corpus.extract import ExtractedText, extract
from corpus.extract.books.gutenberg import PUBLIC_DOMAIN, split_chapters

PROSE = "\n".join(
    textwrap.wrap(
        "The keeper went out to count his boats before the light failed, as on every evening. " * 6, 70
    )
)
JOINED = " ".join(PROSE.split("\n"))
HEADER = """\ufeffThe Project Gutenberg eBook of {title}

This ebook is for the use of anyone anywhere, at no cost.

Title: {title}
       Being a Second Line

Author: Ada Keeper

Translator: B. Boat

Release Date: {date} [eBook #{number}]

Language: {language}

Character set encoding: UTF-8

*** START OF THE PROJECT GUTENBERG EBOOK {title} ***
"""
FOOTER = (
    "\n\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n\nUpdated editions will replace the previous one.\n"
)


def book(body: str, title: str = "BOATS", date: str = "March 3, 2008", language: str = "English") -> str:
    return HEADER.format(title=title, date=date, number=99, language=language) + body + FOOTER


def find_book(body: str | bytes) -> ExtractedText | None:
    record = Record(native_id="x", file="x", offset=0, length=0, media_type="text/x-gutenberg", body=body)
    return extract(record, "fast")


def read(body: str | bytes) -> ExtractedText:
    found = find_book(body)
    assert found is not None
    return found


def test_the_book_is_left_and_the_header_is_metadata() -> None:
    found = read(book(f"\n\n\nCHAPTER I\n\n\n{PROSE}\n\n{PROSE}"))
    assert found.text == f"CHAPTER I\n\n{JOINED}\n\n{JOINED}"
    assert (found.license, found.date, found.language) == (PUBLIC_DOMAIN, "2008-03-03", "eng")
    assert found.metadata == {
        "title": "BOATS Being a Second Line",
        "author": "Ada Keeper",
        "translator": "B. Boat",
        "gutenberg": "99",
    }


MARKS = {
    "long title": (
        "*** START OF THE PROJECT GUTENBERG EBOOK A TITLE THAT\nGOES ON AND ON ***\n",
        "*** END OF THE PROJECT GUTENBERG EBOOK A TITLE",
    ),
    "no spaces": (
        "***START OF THIS PROJECT GUTENBERG EBOOK X***\n",
        "***END OF THE PROJECT GUTENBERG EBOOK X***",
    ),
    "1990s": (
        "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n"
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n",
        "End of the Project Gutenberg Etext of Boats",
    ),
    "2001": (
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.12.12.00*END*\n",
        "End of Project Gutenberg's Boats",
    ),
}


@pytest.mark.parametrize("marks", MARKS)
def test_marks_of_every_age(marks: str) -> None:
    start, end = MARKS[marks]
    text = f"Project Gutenberg's Boats\n\nTitle: Boats\n\n{start}\n\n{PROSE}\n\n{end}\nMore of the licence.\n"
    assert read(text).text == JOINED


NOTES = {
    "credit": (
        f"Produced by Ada Keeper and the Online Distributed\nProofreading Team\n\n\n\n{PROSE}",
        JOINED,
    ),
    "bracketed": (
        f"[Transcriber's Note: A page was\nmissing.]\n\n{PROSE}\n\n[Transcriber's note: sic]\n\n{PROSE}",
        None,
    ),
    "framed": (
        "+------------------+\n| Transcriber's Notes |\n|                  |\n| Spelling kept.   |\n"
        f"+------------------+\n\n{PROSE}",
        JOINED,
    ),
    "section": (
        f"{PROSE}\n\n\n\n\nTRANSCRIBER'S NOTES\n\nPage 3: boat for boot.\n\nPage 9: keeper.\n",
        JOINED,
    ),
    "before the book": (
        f"Transcriber's note:\n\n  Italics are marked.\n\n  Footnotes moved.\n\n\n\n\n{PROSE}",
        JOINED,
    ),
    "French": (f"{PROSE}\n\n\n\nNotes du transcripteur\n\nOn a corrigé une lettre.\n", JOINED),
    "German": (f"{PROSE}\n\n\n\nAnmerkungen zur Transkription\n\nEin Buchstabe.\n", JOINED),
    "in a line": (f"{PROSE} [Transcriber's Note:\nillegible]", JOINED),
    "pictures": (f"[Illustration]\n\n{PROSE}\n\n[Illustration: The\nharbour]", f"{JOINED}\n\nThe\nharbour"),
    "pages": (f"[Pg 12] {PROSE}\n\n{{13}}and on it went", f"{JOINED}\n\nand on it went"),
    "emphasis": (
        f"_{PROSE}_\n\nHe said =stop=, snake_case and _ no.",
        f"{JOINED}\n\nHe said stop, snake_case and _ no.",
    ),
    "breaks": (
        f"{PROSE}\n\n   *       *       *       *       *\n\n{PROSE}",
        f"{JOINED}\n\n* * *\n\n{JOINED}",
    ),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_the_transcriber_added_goes(case: str) -> None:
    body, expected = NOTES[case]
    expected = expected if expected is not None else f"{JOINED}\n\n{JOINED}"
    assert read(book("\n\n\n" + body)).text.replace("\n\n\n", "\n\n") == expected


def test_a_story_about_a_transcriber_stays() -> None:
    body = f"{PROSE}\n\nThe transcriber took note of it. Produced by the storm, the wave came in.\n\n{PROSE}"
    assert "The transcriber took note of it. Produced by the storm" in read(book("\n\n" * 20 + body)).text


def test_any_charset_and_any_line_end() -> None:
    text = book(f"\r\n\r\nKäthe Müller zählte größere Böte über Ägir.\r\n\r\n{PROSE}").replace(
        "UTF-8", "ISO-8859-1"
    )
    found = read(text.removeprefix("\ufeff").encode("latin-1"))
    assert found.text == f"Käthe Müller zählte größere Böte über Ägir.\n\n{JOINED}"
    assert read(book(f"\n\n\n第一回\n\n\n{PROSE}", language="Chinese").encode()).language == "cmn"


def test_copyrighted_books_say_so() -> None:
    found = read(
        "** This is a COPYRIGHTED Project Gutenberg eBook, Details Below **\n" + book(f"\n\n{PROSE}")
    )
    assert (found.license, found.metadata["rights"]) == (None, "copyrighted")


def test_the_small_print_of_2002_is_no_copyright_of_the_book() -> None:
    small = (
        "#8 in our series by Ada Keeper\n\nTitle: Boats\n\n[Etext #3261]\n\nThe Project Gutenberg Etext\n\n"
        "Copyright (C) 2001, 2002 by Michael S. Hart.\n"
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.02/11/02*END*\n\n"
    )
    found = read(small + PROSE)
    assert (found.text, found.license, found.metadata["gutenberg"]) == (JOINED, PUBLIC_DOMAIN, "3261")


SMALL_PRINT = (
    "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN EBOOKS**START***\nWhy there is a small print.\n\n"
    "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*\n"
)
FIELDS = (
    "Project Gutenberg's Boats, by Ada Keeper\n\nPlease take a look at the important information in this header.\n\n"
    "Title: Boats\n\nRelease Date: {date}  [EBook #7]\n\nLanguage: English\n\n"
)
SHORT = "Two boats went out.\n\nOne came home."


@pytest.mark.parametrize("body", [SHORT, "\n\n".join([PROSE] * 40)])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (
            "*** START OF THE PROJECT GUTENBERG EBOOK, BOATS ***\n\n",
            "*** END OF THE PROJECT GUTENBERG EBOOK, BOATS ***\n\n"
            "This file should be named boats10.txt or boats10.zip\n",
        ),
        ("*** START OF PROJECT GUTENBERG EBOOK BOATS ***\n", ""),
        ("", "End of Project Gutenberg's Boats, by Ada Keeper\n\n"),
        ("", "This file should be named boats10.txt or boats10.zip\n\nInformation about them.\n\n"),
        ("", ""),
    ],
)
def test_a_licence_at_the_end_leaves_the_book(start: str, end: str, body: str) -> None:
    found = read(f"{FIELDS.format(date='May 2003')}{start}\n\n{body}\n\n\n\n{end}{SMALL_PRINT}")
    assert found.text == "\n\n".join(" ".join(block.split("\n")) for block in body.split("\n\n"))
    assert (found.license, found.metadata["title"], found.metadata["gutenberg"]) == (
        PUBLIC_DOMAIN,
        "Boats",
        "7",
    )


def test_a_licence_at_the_head_with_a_second_start_leaves_the_book() -> None:
    head = (
        f"{FIELDS.format(date='May 2003')}*** START OF THE PROJECT GUTENBERG EBOOK BOATS ***\n\n{SMALL_PRINT}"
    )
    assert read(f"{head}\n\n{PROSE}\n\nEnd of the Project Gutenberg EBook of Boats\n").text == JOINED


def test_a_sentence_about_the_project_ends_nothing() -> None:
    body = f"{PROSE}\n\nThat was the\nend of Gutenberg's press.\n\n{PROSE}"
    assert read(book(f"\n\n{body}")).text.endswith(JOINED)


@pytest.mark.parametrize(
    ("stated", "date"),
    [
        ("March 3, 2008", "2008-03-03"),
        ("April, 2004", "2004-04"),
        ("May 2003", "2003-05"),
        ("Sept., 2001", "2001-09"),
        ("12 October 1999", "1999-10-12"),
        ("2003-11-30", "2003-11-30"),
        ("some day", None),
    ],
)
def test_dates_of_every_age(stated: str, date: str | None) -> None:
    assert read(book(f"\n\n{PROSE}", date=stated)).date == date


def test_a_date_before_there_was_a_field_for_it() -> None:
    head = "The Project Gutenberg Etext of Boats\n\nJuly, 1994  [Etext #150]\n\n"
    assert read(f"{head}{SMALL_PRINT}\n\n{PROSE}").date == "1994-07"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("the quiet [Pg 13] harbour", "the quiet harbour"),
        ("the quiet[Pg 13] harbour", "the quiet harbour"),
        ("the quiet [Pg 13]harbour", "the quiet harbour"),
        ("the har[Pg 13]bour", "the harbour"),
        ("the quiet\n\n[Page xiv]\n\nharbour", "the quiet harbour"),
        ("der stille [Seite 13] Hafen", "der stille Hafen"),
        ("тихая [стр. 13] гавань", "тихая гавань"),
        ("it was late.\n\n[p. 13]\n\nHe slept.", "it was late.\n\nHe slept."),
        ("a note [13] and a year {1900}", "a note [13] and a year {1900}"),
        ("the quiet [Pg 15] harbour {7}town", "the quiet harbour town"),
        ("el puerto\n \t\n  {Página 7}\n\nquieto", "el puerto quieto"),
        ("天亮了，\n\n[第 13 頁]\n\n他走了。", "天亮了，\n\n他走了。"),
        ("the quiet\n\n{14}\n\nharbour", "the quiet harbour"),
        ("H_{2}SO_{4}, C_{12}H_{22}O_{11}, x^{2}y", "H_{2}SO_{4}, C_{12}H_{22}O_{11}, x^{2}y"),
        ("_the_ quiet snake_case_ =harbour=", "the quiet snake_case_ harbour"),
        ("for 4_s._ 6_d._ on the 10_th_, the 2_e_ de 1_2_3", "for 4s. 6d. on the 10th, the 2e de 1_2_3"),
    ],
)
def test_a_sentence_runs_on_over_the_number_of_a_page(body: str, expected: str) -> None:
    assert read(book(f"\n\n{PROSE}\n\n{body}")).text.removeprefix(JOINED).strip() == expected


@pytest.mark.parametrize(
    "head",
    [
        "This is a *copyrighted* Project Gutenberg eBook, details below.\n",
        "Please follow the copyright guidelines in this file.\n",
        "A Project Gutenberg of Australia eBook\n",
    ],
)
def test_what_may_be_in_copyright_gets_no_licence(head: str) -> None:
    assert read(head + book(f"\n\n{PROSE}")).license is None


@pytest.mark.parametrize(
    "note",
    [
        "[This text uses UTF-8 file encoding. If quotes look odd,\nchange your font.\n\nOrnaments are left out.]",
        "[This e-text is intended for users whose readers cannot show macrons.]",
        "Au lecteur.\n\nLes italiques dans l'original sont entre soulignés.",
        "An den Leser\n\nDie Sperrung im Original ist hier _kursiv_.",
        "Errata noted by transcriber:\n\nboats] _text has boots_",
    ],
)
def test_notes_to_the_readers_of_a_file_go(note: str) -> None:
    header = HEADER.format(title="T", date="May 1, 2008", number=7, language="French")
    for at_end in (False, True):
        parts = [PROSE, note] if at_end else [note, PROSE]
        text = read((header + "\n\n\n" + "\n\n\n\n".join(parts) + FOOTER).encode()).text
        assert text == JOINED
    preface = "Au lecteur.\n\nC'est ici un livre de bonne foi, lecteur."
    kept = read((header + "\n\n\n" + preface + "\n\n\n\n" + PROSE + FOOTER).encode()).text
    assert kept.startswith("Au lecteur.\n\nC'est ici un livre")


def test_ornaments_and_typists_go() -> None:
    header = HEADER.format(title="T", date="May 1, 2008", number=7, language="English")
    body = f"\n\nEntered by A. Typist of the Wire\n\n[Decoration]\n\n{PROSE}\n\n[Ornament]\n\n{PROSE}"
    assert read((header + body + FOOTER).encode()).text == f"{JOINED}\n\n{JOINED}"


@pytest.mark.parametrize(
    ("line", "title", "author"),
    [
        ("**The Project Gutenberg Etext of Low Water, by Ada Keeper**", "Low Water", "Ada Keeper"),
        (
            "The Project Gutenberg Etext of Low Water by Keeper\n#3 in our series by Ada Keeper",
            "Low Water",
            "Ada Keeper",
        ),
        ("Project Gutenberg's Etext of Tales by the Sea by A. Keeper", "Tales by the Sea", "A. Keeper"),
        ("The Project Gutenberg EBook of The Almanac (#2 in our series)", "The Almanac", None),
    ],
)
def test_the_first_line_names_the_book_where_no_field_does(line: str, title: str, author: str | None) -> None:
    small = "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"
    parts = [line, "Copyright laws are changing.", small, PROSE, "End of the Project Gutenberg Etext\n"]
    found = read("\n\n\n".join(parts).encode())
    assert (found.metadata.get("title"), found.metadata.get("author")) == (title, author)
    assert found.text == JOINED


def test_a_plain_book_is_only_joined() -> None:
    found = read(f"Produced in a hurry\n\n\n{PROSE}\n\n{PROSE}\n")
    assert found.text == f"Produced in a hurry\n\n{JOINED}\n\n{JOINED}"
    assert (found.license, found.metadata) == (None, {})


def test_chapters_begin_at_titles_that_stand_apart() -> None:
    body = (
        f"BOATS\n\n\n\nCONTENTS\n\nCHAPTER I. Snow\nCHAPTER II. Boats\n\n\n\nCHAPTER I. Snow\n\n{PROSE}\n\n\n\nII.\n\n"
        f"{PROSE}\n\n\n\nPart of the crew went ashore in the first boat, and\nthe rest slept.\n\n\n\n"
        f"第三回 初雪\n\n{PROSE}\n\n\n\nГЛАВА IV\n\n{PROSE}"
    )
    parts = split_chapters(body)
    assert [part.strip().split("\n")[0] for part in parts] == [
        "BOATS",
        "CHAPTER I. Snow",
        "II.",
        "第三回 初雪",
        "ГЛАВА IV",
    ]
    assert "".join(parts) == body


@pytest.mark.parametrize(
    "piece",
    [
        "*** START OF THE PROJECT GUTENBERG\n",
        "***",
        "[Illustration: ",
        "[Transcriber's note ",
        "_a",
        "\n \n",
        "\n\n",
        "  \n    ",
    ],
)
def test_no_book_is_slow(piece: str) -> None:
    begin = time.process_time()
    for body in (f"a{piece * 20_000}b", f"a{piece * 20_000}", f"{piece * 20_000}b"):
        find_book(body)
    assert time.process_time() - begin < 4


def test_news_from_nowhere(data: Path) -> None:
    found = read((data / "books/gutenberg/3261/3261.txt").read_bytes())
    text = found.text
    assert text.startswith("NEWS FROM NOWHERE\nOR\nAN EPOCH OF REST\n")
    assert text.endswith("{3} Cirencester and Burford he must have meant.")
    assert "Gutenberg" not in text and "Transcribed from" not in text and "David Price" not in text
    assert (
        "for those present being used to public meetings and after-lecture debates, if they did not" in text
    )
    assert "musing on the subject-matter of discussion, but still discontentedly" in text
    assert "\n\nCHAPTER II: A MORNING BATH\n\n" in text
    assert max(map(len, text.split("\n\n"))) > 3000
    assert (found.date, found.metadata["gutenberg"], found.language) == ("2007-05-08", "3261", "eng")


def test_an_edition_of_2001(data: Path) -> None:
    found = read((data / "books/gutenberg/3261/old__nwsnw10.txt").read_bytes())
    assert found.text.startswith("NEWS FROM NOWHERE\nor AN EPOCH OF REST\n")
    assert (
        "SMALL PRINT" not in found.text and "Michael S. Hart" not in found.text and "Etext" not in found.text
    )


def test_a_dutch_book_in_latin_1(data: Path) -> None:
    found = read((data / "books/gutenberg/24675/24675-8.txt").read_bytes())
    text = found.text
    assert text.startswith("ELK DEEL IS AFZONDERLIJK VERKRIJGBAAR")
    assert (
        "Hebt ge wel eens een neef, of broêr, of vriend van een eerste zeereis zien t'huiskomen? Hebt ge"
        in text
    )
    assert (
        "\n\nAnd I think how many thousands\n  Of care-encumbered men,\nEach bearing his burden of sorrow,\n"
        in text
    )
    assert (
        "\nBEREISDE LIEDEN                         3.\nAFSCHEID                               17.\n" in text
    )
    assert (
        ".png" not in text and "Proofreading" not in text and "Gutenberg" not in text and "_hij_" not in text
    )
    assert (found.language, found.metadata["title"]) == ("nld", "Ontboezemingen")
