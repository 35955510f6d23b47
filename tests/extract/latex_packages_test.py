"""What common packages print: units, glossaries, quotations, own commands, code in a line, several files."""

from __future__ import annotations

import io
import json
import tarfile
import time

import pytest

from corpus.document import Record
from corpus.extract.latex.paper import extract_text, tex_to_text


def text_of(body: str, preamble: str = "") -> str:
    return tex_to_text(
        f"\\documentclass{{article}}{preamble}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


def paper(**files: str | bytes) -> str:
    """The text of a submission with these files; `_` in a name stands for a dot, `__` for a slash."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    record = Record(
        native_id="1",
        file="f",
        offset=0,
        length=1,
        media_type="application/x-tex-submission",
        body=archive.getvalue(),
    )
    extracted = extract_text(record, "fast")
    assert extracted is not None
    return extracted.text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\SI{532}{\nano\metre}", "532 nm"),
        (r"\qty{532}{nm}", "532 nm"),
        (r"\qty[per-mode=symbol]{3}{\metre\per\second\squared}", "3 m s⁻²"),
        (r"\SI{9.81}{m/s^2}", "9.81 m/s²"),
        (r"\SIrange{10}{15}{\minute}", "10 to 15 min"),
        (r"\qtyrange{0.1}{2}{\kilo\hertz}", "0.1 to 2 kHz"),
        (r"\numrange{3}{7}", "3 to 7"),
        (r"\SIlist{1;2;3}{\volt}", "1, 2 and 3 V"),
        (r"\numlist{1;2}", "1 and 2"),
        (r"\num{1.5e-3}", "1.5 × 10⁻³"),
        (r"\num{e6}", "10⁶"),
        (r"\num{2 +- 0.1}", "2 ± 0.1"),
        (r"\si{\kilo\gram\per\cubic\metre}", "kg m⁻³"),
        (r"\unit{\square\metre}", "m²"),
        (r"\SI{25}{\degreeCelsius}", "25 °C"),
        (r"\SI{5}{\percent}", "5 %"),
        (r"\ang{12;30;5}", "12° 30′ 5″"),
        (r"\ang{90}", "90°"),
        (r"\SI{1}{\micro\litre}", "1 µL"),
    ],
)
def test_numbers_with_units(tex: str, text: str) -> None:
    assert text_of(f"Here {tex} stand.", r"\sisetup{range-units=single}") == f"Here {text} stand."


def test_ranges_in_the_language_of_the_paper() -> None:
    german = text_of(r"Er maß \SIrange{10}{15}{\minute} lang.", r"\usepackage[ngerman]{babel}")
    assert german == "Er maß 10 bis 15 min lang."


GLOSSARY = (
    r"\newacronym{gps}{GPS}{global positioning system}\newacronym[longplural={central units}]{cpu}{CPU}{central unit}"
    r"\newglossaryentry{hull}{name={hull}, description={the body of a ship}, plural={hulls}}"
)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"A \gls{gps}, a \gls{gps}.", "A global positioning system (GPS), a GPS."),
        (r"\Glspl{gps} and \glspl{gps}.", "Global positioning systems (GPSs) and GPSs."),
        (
            r"\acrshort{gps}, \acrlong{gps}, \acrfull{gps}.",
            "GPS, global positioning system, global positioning system (GPS).",
        ),
        (r"Two \glspl{cpu}.", "Two central units (CPUs)."),
        (r"A \gls{hull} and two \glspl{hull}.", "A hull and two hulls."),
        (r"The \glslink{gps}{receiver} and \glsdesc{nothing} end.", "The receiver and end."),
    ],
)
def test_glossary_entries_are_what_they_print(tex: str, text: str) -> None:
    assert text_of(tex, GLOSSARY) == text


def test_the_other_packages_of_acronyms() -> None:
    acronym = text_of(
        r"\acrodef{nmr}[NMR]{nuclear magnetic resonance}By \ac{nmr} and \ac{nmr}: \acl{nmr}, \acp{nmr}."
    )
    assert acronym == "By nuclear magnetic resonance (NMR) and NMR: nuclear magnetic resonance, NMRs."
    acro = text_of(
        r"By \ac{nmr} and \acs{nmr}.", r"\DeclareAcronym{nmr}{short=NMR, long=nuclear magnetic resonance}"
    )
    assert acro == "By nuclear magnetic resonance (NMR) and NMR."


@pytest.mark.parametrize(
    ("definition", "tex", "text"),
    [
        (r"\NewDocumentCommand{\ship}{}{Anna Maria}", r"The \ship{} sails.", "The Anna Maria sails."),
        (r"\NewDocumentCommand\greet{m O{captain}}{#2 #1}", r"\greet{Olsen}, \greet{Berg}[Dr]", "captain Olsen, Dr Berg"),  # noqa: E501
        (r"\NewDocumentCommand\say{o m}{\IfNoValueTF{#1}{#2}{#2 (#1)}}", r"\say{yes} \say[loud]{no}", "yes no (loud)"),
        (r"\NewDocumentCommand\mark{s m}{\IfBooleanTF{#1}{big}{small} #2}", r"\mark{a} \mark*{b}", "small a big b"),
        (r"\RenewDocumentCommand\ship{m}{the #1}", r"On \ship{Анна}.", "On the Анна."),
        (r"\NewDocumentCommand\pair{r() m}{#2: #1}", r"\pair{x}{y}", "y: x"),
        (r"\NewDocumentEnvironment{aside}{m}{By the way, #1: }{ That is all.}", r"\begin{aside}{船}words\end{aside}",
         "By the way, 船: words That is all."),
    ],
)  # fmt: skip
def test_commands_in_the_newer_form(definition: str, tex: str, text: str) -> None:
    assert " ".join(text_of(tex, definition).split()) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"二氧化碳\ce{CO2}和\ce{SO4^2-}。", r"二氧化碳$\ce{CO2}$和$\ce{SO4^2-}$。"),
        (r"Изотоп \ce {^14C}", r"Изотоп $\ce {^14C}$"),
        (r"\ce{CH3COOH <=> CH3COO- + H+} में", r"$\ce{CH3COOH <=> CH3COO- + H+}$ में"),
        (r"\section{\ch{CuSO4.5H2O}} $\ce{H2O}$", "$\\ch{CuSO4.5H2O}$\n\n$\\ce{H2O}$"),
        (r"Open \ce{H2O and on", "Open H2O and on"),
    ],
)
def test_chemical_formulas_are_formulas_in_text_too(tex: str, text: str) -> None:
    assert text_of(tex) == text


DELIMITERS = (
    r"\DeclarePairedDelimiter{\norm}{\lVert}{\rVert}\DeclarePairedDelimiter\ceil{\lceil}{\rceil}"
    r"\DeclarePairedDelimiterX{\set}[2]{\{}{\}}{#1\,\delimsize\vert\,#2}"
    r"\DeclarePairedDelimiterXPP\prob[1]{P}{(}{)}{_0}{#1}"
)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Für $\norm{x}_2$", r"Für $\lVert x\rVert_2$"),
        (r"取$\ceil*{x/2}y$", r"取$\left\lceil x/2\right\rceil y$"),
        (r"и $\norm[\Big]{\norm{x}}$", r"и $\Bigl\lVert\lVert x\rVert\Bigr\rVert$"),
        (r"$\set{x}{x>0}$ और $\set*{x}{y}$", r"$\{x\,\vert\,x>0\}$ और $\left\{x\,\middle\vert\,y\right\}$"),
        (r"$\set[\big]{x}{y}$ و$\prob{A}$", r"$\bigl\{x\,\big\vert\,y\bigr\}$ و$P(A)_0$"),
    ],
)
def test_delimiters_of_mathtools_are_written_out(tex: str, text: str) -> None:
    assert text_of(tex, DELIMITERS) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Call \lstinline!int x = 3;! now.", "Call int x = 3; now."),
        (r"Call \lstinline[language=C]|a % b| now.", "Call a % b now."),
        (r"Call \lstinline{f(\{x\}) # y} now.", r"Call f(\{x\}) # y now."),
        (r"Call \mintinline{c}{int y;} now.", "Call int y; now."),
        (r"Call \mintinline[fontsize=\small]{c}|int y;| now.", "Call int y; now."),
        (r"Call \Verb+a_b+ now. \lstinputlisting[language=Python]{code/a.py} Done.", "Call a_b now. Done."),
        (r"\inputminted{python}{b.py}Done.", "Done."),
    ],
)
def test_code_in_a_line_has_no_marks(tex: str, text: str) -> None:
    assert " ".join(text_of(tex).split()) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"?`Qu\'e tal? !`Hola!", "¿Qué tal? ¡Hola!"),
        (r"Der Mann sagte ,,Ja``.", "Der Mann sagte „Ja“."),
        (r"Pan powiedział ,,tak''.", "Pan powiedział „tak”."),
        (r"He said \enquote{good night} and left.", "He said “good night” and left."),
        (r"He wrote \textcquote[12]{olsen}{ships float}.", "He wrote “ships float”."),
        (r"She said \foreignquote{german}{Ja}.", "She said „Ja“."),
        (r"See \hyperref[sec:a]{the part on sails}.", "See the part on sails."),
        (r"A \deleted{wrong}\added{right} word, \replaced{new}{old}, \sout{no} yes\todo{check}.", "A right word, new, yes."),  # noqa: E501
        (r"It is \DIFdelbegin \DIFdel{bad }\DIFdelend \DIFaddbegin \DIFadd{good}\DIFaddend.", "It is good."),
    ],
)  # fmt: skip
def test_marks_of_writing(tex: str, text: str) -> None:
    assert " ".join(text_of(tex).split()).replace(" ,", ",").replace(" .", ".") == text


def test_a_theorem_stated_again_has_the_number_it_has() -> None:
    text = text_of(
        "\\begin{theorem}First.\\end{theorem}\n"
        "\\begin{restatable}[Olsen]{theorem}{floating}\\label{t}Ships float.\\end{restatable}\n"
        "\\section{Proofs}\n\\floating*\nBy Theorem \\ref{t}.",
        r"\usepackage{thm-restate}\newtheorem{theorem}{Theorem}",
    )
    assert "Theorem 2 (Olsen). Ships float." in text
    assert text.count("Ships float.") == 2 and "Theorem 3" not in text


def test_files_that_end_themselves_do_not_end_the_paper() -> None:
    part = "\\documentclass[../main.tex]{subfiles}\n\\begin{document}\nPart %s.\n\\end{document}\n"
    figure = (
        "\\documentclass{standalone}\n\\usepackage{tikz}\n\\begin{document}\nA drawing.\n\\end{document}\n"
    )
    main = (
        "\\documentclass{article}\n\\begin{document}\nBegin.\n\\subfile{parts/one}\n\\input{parts/two}\n"
        "\\includestandalone[width=3cm]{figure}\nEnd.\n\\end{document}\n"
    )
    text = paper(main_tex=main, parts__one_tex=part % "one", parts__two_tex=part % "two", figure_tex=figure)
    assert text.split("\n\n") == ["Begin.", "Part one.", "Part two.", "A drawing.", "End."]


WHOLE = "\\documentclass{article}\n\\begin{document}\n\\title{%s}\\maketitle\n%s\n\\end{document}\n"
FIRST, SECOND = WHOLE % ("On ships", "Ships float."), WHOLE % ("Supplement", "The proofs are long. " * 20)


def test_the_files_that_a_submission_names_are_read_in_its_order() -> None:
    new = json.dumps(
        {"sources": [{"filename": "b.tex", "usage": "toplevel"}, {"filename": "a.tex", "usage": "toplevel"}]}
    )
    for listing in (
        {"00README_json": new},
        {
            "00README_yaml": "sources:\n  - filename: b.tex\n    usage: toplevel\n"
            "  - filename: a.tex\n    usage: toplevel\n"
        },
        {"00README_XXX": "b.tex toplevelfile\na.tex toplevelfile\n"},
    ):
        text = paper(a_tex=FIRST, b_tex=SECOND, **listing)
        assert text.index("The proofs are long.") < text.index("Ships float.")


def test_a_supplement_is_read_behind_the_paper_and_another_version_of_it_is_not() -> None:
    body = "\n".join(f"Sentence {number} of the paper says something about ships." for number in range(30))
    text = paper(
        paper_tex=WHOLE % ("On ships", body), suppl_tex=FIRST, old_tex=WHOLE % ("Supplement", body + " More.")
    )
    assert "Ships float." in text and text.count("Sentence 3 of the paper") == 1
    ignored = paper(
        paper_tex=WHOLE % ("On ships", body), suppl_tex=FIRST, **{"00README_XXX": "suppl.tex ignore\n"}
    )
    assert "Ships float." not in ignored


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_paper_in_utf16(codec: str) -> None:
    assert "Суда не тонут. 船は沈まない。" in paper(
        main_tex=(WHOLE % ("t", "Суда не тонут. 船は沈まない。")).encode(codec)
    )


def test_settings_print_nothing() -> None:
    settings = (
        r"\sisetup{detect-all}\lstdefinestyle{mine}{language=C}\crefname{equation}{eq.}{eqs.}\DeclareSIUnit{\px}{px}"
        r"\setlist[itemize]{noitemsep}\bibpunct{(}{)}{;}{a}{,}{,}\captionsetup[table]{skip=3pt}"
    )
    assert text_of(f"{settings}\nText.") == "Text."


def test_a_file_that_only_chooses_options_includes_the_whole_paper() -> None:
    main = "\\documentclass{book}\n\\input{front}\n\\begin{document}\nShips float.\n\\end{document}\n"
    assert (
        paper(online_tex="\\input{colour}\n\\input{main}\n", colour_tex="\\def\\x{1}\n", main_tex=main)
        == "Ships float."
    )


@pytest.mark.parametrize(
    ("option", "marks"),
    [
        ("", "1. 2."),
        ("[(i)]", "(i) (ii)"),
        ("[1)]", "1) 2)"),
        ("[{Étape} A.]", "Étape A. Étape B."),
        ("[noitemsep]", "1. 2."),
        ("[wide, topsep=0pt]", "1. 2."),
        ("[label=(\\alph*)]", "(a) (b)"),
        ("[label=D{{\\arabic*}}]", "D1 D2"),
        ("[label={\\bfseries Шаг \\asbuk*:}]", "Шаг а: Шаг б:"),
        ("[label=\\chinese*、, start=10]", "十、 十一、"),
        ("[leftmargin=*, label=\\emph{\\Roman*.}, start=9]", "IX. X."),
        ("[label=--]", "- -"),
    ],
)
def test_items_have_the_numbers_that_are_printed(option: str, marks: str) -> None:
    first, second = marks.rsplit(" ", 1)
    if option.startswith(("[{É", "[label={\\bf")):
        words = marks.split()
        first, second = " ".join(words[:2]), " ".join(words[2:])
    items = f"\\begin{{enumerate}}{option}\\item 船\\item 帆\\end{{enumerate}}"
    assert text_of(items) == f"{first} 船\n{second} 帆"


def test_items_inside_items_and_lists_that_go_on() -> None:
    inner = "\\begin{enumerate}\\item x\\begin{enumerate}\\item deep\\end{enumerate}\\item y\\end{enumerate}"
    outer = f"\\begin{{enumerate}}\\item {inner}\\item z\\end{{enumerate}}"
    assert text_of(outer) == "1. (a) x\n    i. deep\n  (b) y\n2. z"
    rest = "\\begin{enumerate}[resume]\\item w\\setcounter{enumi}{6}\\item v\\end{enumerate}"
    assert (
        text_of(f"{outer} Text.\n\n{rest}") == "1. (a) x\n    i. deep\n  (b) y\n2. z\n\nText.\n\n3. w\n7. v"
    )


def test_lists_in_lists_are_indented_and_tables_behind_them_stand_apart() -> None:
    lists = (
        r"\begin{itemize}\item один\begin{enumerate}\item 甲\begin{description}\item[नाम] x\end{description}\item c"
        r"\end{enumerate}\item d\footnote{\begin{itemize}\item n\item m\end{itemize}}\end{itemize}"
    )
    table = r"\begin{tabular}{ll}x&y\\z&w\end{tabular}"
    assert text_of(lists + table) == "- один\n  1. 甲\n    नाम x\n  2. c\n- d\n\n- n\n- m\n\nx | y\nz | w"


@pytest.mark.parametrize(
    ("preamble", "tex", "text"),
    [
        (r"\usepackage{CJKutf8}", r"We use \begin{CJK}{UTF8}{gbsn}中文\end{CJK} and \numlist{1;2;3}.", "We use 中文 and 1, 2 and 3."),  # noqa: E501
        (r"\usepackage{CJKutf8}\usepackage[ngerman]{babel}", r"Das chinesische 中文 und \numlist{1;2}.", "Das chinesische 中文 und 1 und 2."),  # noqa: E501
        (r"\usepackage{xeCJK}", r"我们用\numlist{1;2}来证明这个定理。", "我们用1和2来证明这个定理。"),
        (r"\usepackage{xeCJK}", r"わたしは\numlist{1;2}です。", "わたしは1、2です。"),
    ],
)  # fmt: skip
def test_a_paper_is_in_the_language_of_most_of_its_text(preamble: str, tex: str, text: str) -> None:
    assert text_of(tex, preamble) == text


def test_what_the_source_does_not_have_leaves_no_hole() -> None:
    assert text_of(r"Version of \today. 東京、\today。") == "Version of. 東京。"


@pytest.mark.parametrize(
    ("tex", "title"),
    [
        (
            r"\centerline{\bf ON THE ROBIN PROBLEM} \bigskip \centerline{A. Author} Text.",
            "ON THE ROBIN PROBLEM",
        ),
        (r"\begin{center}{\Large О задаче $x$}\end{center} Текст.", "О задаче $x$"),
        (r"\begin{center}A. Author\end{center} Text.", None),
        (r"Text first. \centerline{\bf Not a title}", None),
    ],
)
def test_a_title_set_by_hand_is_the_title(tex: str, title: str | None) -> None:
    record = Record(
        native_id="1",
        file="f",
        offset=0,
        length=1,
        media_type="application/x-tex-submission",
        body=f"\\documentclass{{article}}\\begin{{document}}{tex}\\end{{document}}".encode(),
    )
    extracted = extract_text(record, "fast")
    assert extracted is not None and extracted.metadata.get("title") == title


def test_pictures_keep_their_captions_tables_listings_and_sentences() -> None:
    parts = (
        "\\begin{figure}\\begin{subfigure}{2cm}\\includegraphics{a}\\caption{Erste Hälfte.}\\end{subfigure}"
        "\\begin{subfigure}{2cm}\\includegraphics{b}\\subcaption{Zweite.}\\end{subfigure}\\caption{Beide.}\\end{figure}"
    )
    assert text_of(f"Text.\n\n{parts}") == "Text.\n\nErste Hälfte.\n\nZweite.\n\nBeide."
    short = (
        "\\begin{figure}\\subfloat[][左]{\\includegraphics{a}}\\subfigure[右]{\\includegraphics{b}}"
        "\\subcaptionbox{下}{\\includegraphics{c}}\\caption{全部。}\\end{figure}"
    )
    assert text_of(short) == "左\n\n右\n\n下\n\n全部。"
    table = (
        "\\begin{figure}\\begin{tabular}{ll}Стадия & Проекты\\\\ Развитие & 28\\\\ Обслуживание & 6\\end{tabular}"
        "\\caption{Стадии.}\\end{figure}"
    )
    assert text_of(table) == "Стадия | Проекты\nРазвитие | 28\nОбслуживание | 6\n\nСтадии."
    listing = "\\begin{figure}\\begin{verbatim}\nlet x = 1;\n\\end{verbatim}\\caption{Code.}\\end{figure}"
    assert text_of(f"$a$ {listing}") == "$a$\n\nlet x = 1;\n\nCode."
    labels = "\\begin{figure}\\begin{tabular}{cc}\\includegraphics{a}&\\includegraphics{b}\\\\(a)&(b)\\end{tabular}"
    assert text_of(f"{labels} $$x$$ North\\caption{{Two.}}\\end{{figure}}") == "Two."


def test_code_that_macros_and_own_environments_print() -> None:
    preamble = (
        "\\newcommand\\icode[1]{\\lstinline?#1?}\\lstnewenvironment{haskell}[1][]{\\lstset{#1}}{}"
        "\\DefineVerbatimEnvironment{Shell}{Verbatim}{fontsize=\\small}\\newminted{python}{linenos}"
        "\\newtcblisting{sample}{colback=red}\n"
    )
    assert (
        text_of("Der Typ \\icode{Either a} ist \\verb|#1| hier.", preamble) == "Der Typ Either a ist #1 hier."
    )
    for name in ("haskell", "Shell", "pythoncode", "sample"):
        code = f"Vor.\n\\begin{{{name}}}[label=x]\nf x = \\y -> {{x}} % &\n\\end{{{name}}}\nNach."
        assert text_of(code, preamble) == "Vor.\n\nf x = \\y -> {x} % &\n\nNach.", name
    assert (
        text_of('\\texttt{\\char`\\\\frac\\char`\\%} \\char"41 \\symbol{123}x\\symbol{"7D}') == "\\frac% A{x}"
    )


def test_languages_that_the_class_or_another_package_names() -> None:
    proof = "\\begin{theorem}Sea.\\end{theorem}\\begin{proof}Sí.\\end{proof}"
    for head, words in (
        ("\\documentclass[12pt,spanish]{article}", "Teorema. Sea.\n\nDemostración. Sí."),
        (
            "\\documentclass{article}\\usepackage[main=polish,english]{babel}",
            "Twierdzenie. Sea.\n\nDowód. Sí.",
        ),
        ("\\documentclass{article}\\usepackage{polski}", "Twierdzenie. Sea.\n\nDowód. Sí."),
        ("\\documentclass[english,brazil]{abntex2}", "Teorema. Sea.\n\nDemonstração. Sí."),
        ("\\documentclass[french]{article}\\usepackage[english]{babel}", "Theorem. Sea.\n\nProof. Sí."),
    ):
        assert tex_to_text(f"{head}\\begin{{document}}{proof}\\end{{document}}") == words
    title = '\\documentclass{article}\\usepackage[ngerman]{babel}\\title{S"=Ausdr"ucke}'
    title += "\\begin{document}\\maketitle X\\end{document}"
    assert tex_to_text(title) == "S-Ausdrücke\n\nX"


def test_entries_of_glossaries_describe_and_use_one_another() -> None:
    preamble = (
        "\\newglossaryentry{h}{name={\\ensuremath{\\log{\\gls{q}}}},description={taxa {do {lago {azul}}} com \\gls{q}},"
        "symbol={\\ensuremath{H}}}\\newglossaryentry{q}{name=vento,description={ar}}"
        "\\newacronym{ml}{ML}{machine learning}\\newglossaryentry{loop}{name={\\gls{loop}\\gls{loop}}}"
    )
    text = (
        "\\gls{h}: \\glsdesc{h}, \\glssymbol{h}. \\Glsdesc*{q}; \\glsentrylong{ml}, \\gls{ml}, \\glsdesc{ml}."
    )
    assert text_of(text, preamble) == (
        "$\\log{vento}$: taxa do lago azul com vento, $H$. Ar; machine learning, machine learning (ML),"
        " machine learning."
    )
    assert text_of("A \\gls{loop}.", preamble).startswith("A")


def test_packages_of_packages_slides_and_settings() -> None:
    package = "\\RequirePackage{names}\n\\newcommand{\\ship}{\\name{Vasa}}\n"
    read = paper(
        main_tex="\\documentclass{article}\\usepackage{own}\\begin{document}Die \\ship.\\end{document}",
        own_sty=package,
        names_sty="\\newcommand{\\name}[1]{#1 (1628)}\n",
    )
    assert read == "Die Vasa (1628)."
    slide = "\\begin{column}{0.5\\textwidth}左\\end{column}\\column{4cm}右"
    slide = f"\\begin{{frame}}\\begin{{columns}}{slide}\\end{{columns}}\\end{{frame}}"
    assert text_of(slide) == "左\n\n右"
    assert text_of(
        "\\titleformat{\\chapter}[display]{\\it}{\\x}{20pt}{\\bf}\\tikzstyle{every node}=[scale=1.1*2]Text."
    ) == ("Text.")
    assert text_of("\\sepnum{,}{\\,}{}{13798} Wörter") == "13798 Wörter"
    rules = "\\begin{mathpar}\\inferrule{a & b}{c}\\end{mathpar}"
    assert text_of(f"Rule {rules}") == "Rule\n\\begin{mathpar} \\inferrule{a & b}{c} \\end{mathpar}"


def test_titles_of_environments_that_nobody_defines_here() -> None:
    boxes = (
        "\\begin{nprop}[Algoritmo de Euclides] Sea $a$.\\end{nprop}\\begin{nth}[Теорема Пифагора] Так.\\end{nth}"
        "\\begin{yl}[孙子] 有解。\\end{yl}"
        "\\begin{foo}[htbp]one\\end{foo}\\begin{foo}[style=Big Box, x=2]two\\end{foo}"
    )
    assert text_of(boxes) == (
        "Algoritmo de Euclides. Sea $a$.\n\nТеорема Пифагора. Так.\n\n孙子. 有解。\n\none\n\ntwo"
    )
    preamble = "\\newmdtheoremenv[linecolor=red]{satz}{Satz}[section]"
    assert text_of("\\section{A}\\begin{satz}[Gauß]Ja.\\end{satz}", preamble) == "A\n\nSatz 1.1 (Gauß). Ja."


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"e.g.\@ this, NASA\@. Then", "e.g. this, NASA. Then"),
        (
            r"Nguy\~{\^e}n V\u{a}n B\`{\u a}, n\v{\"u}, \d{\^{a}}y, th\'\uhorn{}, \'{\ae}",
            "Nguyễn Văn Bằ, nǚ, ậy, thứ, ǽ",
        ),
        (r"""\char'101\char65\char"42""", "AAB"),
        (
            r"9\,m\textsuperscript{2} H\textsubscript{2}O T\textsubscript{max} 1\textsuperscript{st}",
            "9 m² H₂O T_max 1st",
        ),
        (r"10\textsuperscript{-3}\,г/м\textsuperscript{3}, XX\textsuperscript{e}", "10⁻³ г/м³, XXe"),
        (r"\nicefrac{1}{2} or 1\sfrac34 of \nicefrac{वर्ग}{मी}", "1/2 or 1 3/4 of वर्ग/मी"),
        (r"\ruby{漢字}{かんじ}を\ruby[g]{東京}{とうきょう}で。", "漢字を東京で。"),
        (r"{\CJKfamily{gbsn}中文}和\zihao{4}字", "中文和字"),
        (r"\ding{51} yes, \ding{55} no, \ding{172}", "✓ yes, ✗ no, ①"),
        (r"run \texttt{x --all <<y>> ``z''}", "run x --all <<y>> ``z''"),
        (r"one\pagebreak[4] two\linebreak[3] three", "one\n\ntwo three"),
        (r"ab\begin{CJK}{UTF8}{gbsn}测试\end{CJK} cd", "ab测试 cd"),
        (r"متن\RLfootnote{پانویس} است\sidenote{کنار}.", "متن است.\n\nپانویس\n\nکنار"),
        (r"a\endnote{Ende} b", "a b\n\nEnde"),
        (r"\epigraph{Быть или не быть}{Шекспир} Да.", "Быть или не быть\n\nШекспир\n\nДа."),
        (r"\lstinline[language=C]{int a;} \mintinline[x]{c}|y|", "int a; y"),
        (
            r"5\textperthousand{} \textminus3\,°, \textalpha-\textomega, a\textrightarrow b",
            "5‰ −3 °, α-ω, a→b",
        ),
        (
            r"\guilsinglleft да\guilsinglright{} 100\,\textbaht{} ไทย \textreferencemark{}注",
            "‹да› 100 ฿ ไทย ※注",
        ),
        (r"\iffalse hidden $a \iff b$ \ifthenelse{a}{b}{c}\fi shown \fi end", "shown end"),
    ],
)
def test_commands_of_text_print_what_they_say(tex: str, text: str) -> None:
    assert text_of(tex) == text


def test_a_macro_with_the_space_of_abbreviations_is_written_out() -> None:
    assert text_of(r"This is \ie good.", r"\newcommand{\ie}{i.e.\@\xspace}") == "This is i.e. good."


def test_a_new_condition_takes_nothing_but_its_name() -> None:
    assert text_of(r"One \newif\ifdraft two.") == "One two."


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        ("\\begin{verse}[3cm]\n床前\\emph{明月光\\\\ 疑}是\\\\*\n地上霜\\\\!\n举头\\\\\n低头\\\\\n\\end{verse}后", "床前明月光\n疑是\n地上霜\n\n举头\n低头\n\n后"),  # noqa: E501
        ("\\begin{verse}Мороз\\\\>и солнце\\newline день\n\nЕщё\\end{verse}", "Мороз\nи солнце\nдень\n\nЕщё"),
        ("\\poemtitle{Ode}\\poemlines{5}\\begin{verse}\\flagverse{1.}a\\\\\\begin{altverse}b\\\\c\\end{altverse}\\end{verse}", "Ode\n\n1. a\n\nb\nc"),  # noqa: E501
        ("\\begin{quotation}พบ\\\\[2pt]กัน $$x$$\\\\ आज\\end{quotation}", "พบ\nกัน\n$$x$$\nआज"),
        ("one\\\\two \\begin{quote}\\begin{itemize}\\item c\\\\d\\end{itemize}\\end{quote}", "one two\n\n- c d"),
        ("\\begin{tabular}{ll}\\begin{verse}x\\\\y\\end{verse}&ب\\end{tabular}", "x y | ب"),
    ],
)  # fmt: skip
def test_lines_of_poems_and_quotations_are_lines(tex: str, text: str) -> None:
    assert text_of(tex) == text


LONG = (
    r"\begin{longtable}{ll} 城市 & 人口\\ \endfirsthead \multicolumn{2}{c}{Continued}\\ 城市 & 人口\\ \endhead"
    r" \multicolumn{2}{r}{Next page}\\ \endfoot \hline \endlastfoot 甲 & 1\tabularnewline 乙 & 2\end{longtable}"
)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (LONG, "城市 | 人口\n甲 | 1\n乙 | 2"),
        (r"\begin{longtable}{l} A\\ \endhead B\\ \endfirsthead c\end{longtable}", "B\nc"),
        (r"\begin{longtable}{l} A\\ \endhead b\\ \end{longtable}", "A\nb"),
        (r"\begin{NiceTabular}{cc}[hvlines] น้ำ & 1\\ ไฟ & 2\end{NiceTabular}", "น้ำ | 1\nไฟ | 2"),
        (r"\begin{tabu} to 0.5\linewidth {XX} a & b\\ c & d\cr e & f\end{tabu}", "a | b\nc | d\ne | f"),
        (
            r"\begin{tabbing} один \= два \\ a \> b \kill три \> {\bf че\=тыре} \\ \end{tabbing}",
            "один два\nтри че тыре",
        ),
    ],
)
def test_rows_of_tables_are_lines_once(table: str, text: str) -> None:
    assert text_of(table) == text


@pytest.mark.parametrize(
    ("preamble", "body", "text"),
    [
        ("", r"\begin{tcolorbox}[colback=red,title={提示, 一}]正文\end{tcolorbox}", "提示, 一\n\n正文"),
        ("", r"\begin{mdframed}[frametitle=Note]text\end{mdframed}", "Note\n\ntext"),
        (
            r"\newtcolorbox{hint}[2][red]{colback=#1,title=Hint: #2}",
            r"\begin{hint}{ヒント}本文\end{hint}",
            "Hint: ヒント\n\n本文",
        ),
        (
            r"\NewTColorBox{hint}{O{x} m}{title={#2}}",
            r"\begin{hint}[y]{संकेत}पाठ\end{hint}",
            "संकेत\n\nपाठ",
        ),
        (
            "",
            r"\begin{frame}<1->[t]{Заголовок}{Подзаголовок} Да \only<2>{нет} \end{frame}",
            "Заголовок\n\nПодзаголовок\n\nДа нет",
        ),
        ("", r"\begin{block}{Titel} Text \end{block}", "Titel\n\nText"),
    ],
)
def test_titles_of_boxes_and_slides_stand_on_lines_of_their_own(preamble: str, body: str, text: str) -> None:
    assert text_of(body, preamble) == text


def test_listings_keep_their_caption_and_lose_their_options() -> None:
    listing = "\\begin{lstlisting}[language=C,\n caption={并行 $n$},label=l]\na[1] = 2;\n\\end{lstlisting}"
    assert text_of(listing) == "并行 $n$\n\na[1] = 2;"


def test_a_float_of_listings_is_no_listing_itself() -> None:
    code = "\\begin{minted}{python}\nx = 1\n\\end{minted}"
    assert (
        text_of(f"A.\n\n\\begin{{listing}}[t]{code}\\caption{{قائمة}}\\end{{listing}}\n\nB.")
        == "A.\n\nx = 1\n\nقائمة\n\nB."
    )


BRANCHES = r"\ifdraft черновик\else чистовик\fi{} и всё"


@pytest.mark.parametrize(
    ("preamble", "body", "text"),
    [
        (r"\newif\ifdraft", BRANCHES, "чистовик и всё"),
        ("\\newif\\ifdraft\n\\drafttrue", BRANCHES, "черновик и всё"),
        ("\\newif\\ifdraft\n\\drafttrue", rf"\draftfalse {BRANCHES}", "чистовик и всё"),
        (r"\let\ifdraft\iffalse", BRANCHES, "чистовик и всё"),
        (r"\let\ifdraft=\iftrue", BRANCHES, "черновик и всё"),
        ("\\newif\\ifdraft\n\\newcommand{\\full}[1]{\\ifdraft#1\\fi}", r"短\full{长}文", "短文"),
        ("", r"\iftrue 是\else 否\fi{}。", "是。"),
        ("", r"\ifdefined\arxiv हाँ\else नहीं\fi{}।", "नहीं।"),
        (r"\def\arxiv{}", r"\ifdefined\arxiv हाँ\else नहीं\fi{}।", "हाँ।"),
        ("", r"\ifCLASSOPTIONcompsoc\section*{A}\else\section*{B}\fi", "B"),
        (r"\newif\ifdraft", r"\ifdraft a \ifnum1=1 b\else c\fi d $x \iff y$\else 文\fi{}末", "文末"),
        (r"\newboolean{x}\setboolean{x}{true}", r"\ifthenelse{\boolean{x}}{نعم}{لا}", "نعم"),
        (r"\newboolean{x}", r"\ifthenelse{\boolean{x}}{نعم}{لا} \ifthenelse{\equal{a}{a}}{ใช่}{ไม่}", "لا ใช่"),
        (r"\newtoggle{x}\toggletrue{x}", r"\togglefalse{x}\iftoggle{x}{はい}{いいえ}", "いいえ"),
    ],
)
def test_of_a_condition_the_branch_is_read_that_is_printed(preamble: str, body: str, text: str) -> None:
    assert text_of(body, preamble) == text


OWN = r"\def\a{x}\def\b{x}\newcommand{\c}{y}\def\e{}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"\ifnum1<2 да\else нет\fi, \ifnum 3=4 да\fi нет.", "да, нет."),
        (r"\ifnum\value{page}>1 是\else 否\fi。", "是。"),
        (r"\ifx\a\b هو\else غيره\fi", "هو"),
        (r"\ifx\a\c same\else other\fi", "other"),
        (r"\ifx\a\undefined नहीं\else है\fi", "है"),
        (r"\ifx\nowhere\undefined ไม่มี\else มี\fi", "ไม่มี"),
        (r"\ifx\section\undefined no\else yes\fi", "yes"),
        (r"\ifx\e\empty 空\else 満\fi", "空"),
        (r"\ifcase 2 a\or b\or c\else d\fi, \ifodd 3 odd\else even\fi", "c, odd"),
        (r"\ifpdf first\else second\fi, \ifdim\textwidth>10pt wide\else narrow\fi", "first, wide"),
        (r"\ifmmode m \ifnum1=1 in\else out\fi\else t\fi $a \iff b$", r"m in$a \iff b$"),
        (r"\relax\ifnum1=1 one\fi", "one"),
    ],
)
def test_of_a_comparison_one_branch_is_read(body: str, text: str) -> None:
    assert text_of(body, OWN) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (
            r"表\halign{\hfil#\quad&\vrule#\hfil\cr 甲&乙\cr\noalign{\smallskip\hrule}丙&$d$\cr\multispan2 丁\cr}后",
            "表\n\n甲 | 乙\n丙 | $d$\n丁\n\n后",
        ),
        (r"\vbox{\tabskip=1em\halign to\hsize{#&#\cr да&нет\cr}}", "да | нет"),
        (r"\settabs 3 \columns \+ ก & ข\cr \+ ค & ง\cr", "ก | ข\nค | ง"),
        (r"\settabs\+ wide column & \cr \+ a & b\cr", "a | b"),
        (r"x\vrule height2pt depth1pt width 1pt{} y", "x y"),
    ],
)
def test_tables_of_plain_tex_are_rows_without_their_template(tex: str, text: str) -> None:
    assert text_of(tex) == text


@pytest.mark.parametrize("body", [r"\ifdraft 开 $x$ 没有结束", r"{\drafttrue}\ifdraft 开\fi{} $x$ 没有结束"])
def test_conditions_that_do_not_close_or_are_not_known_hide_nothing(body: str) -> None:
    assert text_of(body, r"\newif\ifdraft") == "开 $x$ 没有结束"


def test_no_condition_is_slow() -> None:
    for piece in (
        r"\ifa ",
        r"\ifa\else\fi ",
        r"\ifdefined\x",
        r"\atrue{",
        r"\let\ifa\iftrue ",
        r"\ifnum1=1 ",
        r"\ifnum1=2 \else\fi",
        r"\ifx\a\b\or ",
        r"\ifcase 1 \or\fi",
        r"\halign{#\cr",
        r"\+ a & b ",
        r"\ifthenelse{",
    ):
        begin = time.process_time()
        text_of(r"\newif\ifa" + "\n" + piece * 20_000)
        assert time.process_time() - begin < 3, piece


AAS = (
    r"\begin{deluxetable}{lc}\tablecaption{स्रोत}\tablecolumns{2}"
    r"\tablehead{\colhead{नाम} & \colhead{z}\\ \colhead{} & \colhead{(1)}}"
    r"\startdata क & 1\tablenotemark{a}\\ \cutinhead{और} ख & \nodata\\ \enddata"
    r"\tablenotetext{a}{टिप्पणी}\end{deluxetable}"
)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (AAS, "स्रोत\n\nनाम | z\n| (1)\nक | 1\nऔर\nख | …\n\nटिप्पणी"),
        (r"\begin{tabular}{lc}95\tnote{1} & \diagbox{行}{列}\\ a & b\end{tabular}", "95 | 行 / 列\na | b"),
        (
            r"\twocolumn[\title{标题}\maketitle\begin{abstract}[x] 摘要\end{abstract}] 正文",
            "标题\n\n摘要\n\n正文",
        ),
        (
            r"\abstract{Фон}{Цели}{Методы}{Итоги}{Выводы} Текст",
            "Фон\n\nЦели\n\nМетоды\n\nИтоги\n\nВыводы\n\nТекст",
        ),
        (r"\abstract{要旨} 本文", "要旨\n\n本文"),
        (r"один\newline два\hfill три\hspace{1cm}четыре", "один два три четыре"),
        (r"не\hspace{0pt}раз\hspace{-1pt}рыв\kern-.1em но\hskip1em и\kern 6pt да", "неразрыв но и да"),
        (r"\hbox to 3cm{左}\vbox to\hsize{右}", "左右"),
        (r"森\UTF{9DD7}外と内田百\UTF{9592}、\CID{7652}飾区", "森鷗外と内田百閒、〓飾区"),
        (r"le 1\ier{} mai, XX\ieme{} siècle, 20 \degres C", "le 1er mai, XXe siècle, 20 °C"),
        (r"\begin{labeling}{längster}\item[kurz] Wort\end{labeling}", "kurz Wort"),
        (r"\hlc[red]{สี} \noindent[หมายเหตุ]{ก}", "สี [หมายเหตุ]ก"),
        (r"\numprint[км]{12} \numprint{12}", "12 км 12"),
    ],
)
def test_journals_and_spaces(tex: str, text: str) -> None:
    assert text_of(tex) == text


ONE_DOT = (
    "\\makeatletter\n\\DeclareRobustCommand\\onedot{\\futurelet\\@let@token\\@onedot}\n"
    "\\def\\@onedot{\\ifx\\@let@token.\\else.\\null\\fi\\xspace}\n\\def\\etal{\\emph{et al}\\onedot}\n"
    "\\newcommand{\\etc}{etc\\@ifnextchar.{}{.\\@}}\n\\makeatother\n"
)


def test_abbreviations_that_look_for_a_full_stop_have_one() -> None:
    body = r"Smith \etal said, Ли \etal. X \etc\ y, 王 \etc."
    assert text_of(body, ONE_DOT) == "Smith et al. said, Ли et al. X etc. y, 王 etc."


@pytest.mark.parametrize(
    ("language", "tex", "text"),
    [
        ("russian", r"""- Да. "--~разговор, "--* Нет, "--- тире""", "- Да. — разговор, — Нет, — тире"),
        ("ngerman", r"""Auf"|lage, "`Zitat"'""", "Auflage, „Zitat“"),
        ("portuguese", r"""guarda"-chuva, "<sim">, "não" """, 'guarda-chuva, «sim», "não"'),
        ("dutch", r"""zee"=eend, "`ja"', "nee" """, 'zee-eend, „ja”, "nee"'),
        ("czech", r"""\uv{citát} česko"=polský""", "„citát“ česko-polský"),
    ],
)
def test_shorthands_of_babel(language: str, tex: str, text: str) -> None:
    assert text_of(tex, f"\\usepackage[{language}]{{babel}}") == text


@pytest.mark.parametrize(
    ("piece", "end"),
    [
        (r"\nicefrac{x}{", "}"),
        (r"$a$", ""),
        (r"\ce{", "}"),
        (r"\begin{verse}a\\!", ""),
        (r"\begin{itemize}\item ", ""),
        (r"\DeclarePairedDelimiter{\a}{", "}"),
        (r"\texorpdfstring{", "}{}"),
        (r"\ifthenelse{x}{", "}{}"),
        (r"\epigraph{x}{", "}"),
        (r"\'{\^", "e}"),
        (r"\textsubscript{a b}", ""),
        (r"\begin{tabbing}a\=\kill ", ""),
        (r"\begin{longtable}{l}a\\\endhead b\endfoot ", ""),
        (r"\twocolumn[", "]"),
        (r"\begin{tcolorbox}[title={", "}]"),
        (r"\begin{lstlisting}[caption={", "}]"),
        (r"\hspace{", "}"),
        ('"<', '">'),
        (r"\newtcolorbox{a}[1]{title=", "}"),
    ],
)
def test_no_command_is_slow_or_too_deep(piece: str, end: str) -> None:
    begin = time.process_time()
    text_of(piece * 3000 + "字" + end * 3000, r"\usepackage[dutch]{babel}")
    assert time.process_time() - begin < 3
