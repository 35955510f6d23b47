# ruff: noqa: E501
"""References of papers in TeX: the numbers that the paper shows, of equations, floats, items, sections and theorems."""

from __future__ import annotations

import time

import pytest

from corpus.extract.latex.paper import tex_to_text


def text_of(body: str, preamble: str = "", document_class: str = "article") -> str:
    return tex_to_text(
        f"\\documentclass{{{document_class}}}{preamble}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


def last_line(body: str, preamble: str = "", document_class: str = "article") -> str:
    """The text behind the last display or paragraph: the sentence that refers."""
    return text_of(f"{body}\n\nEND", preamble, document_class).split("\n\n")[-2].split("\n")[-1]


EQUATIONS = (
    r"\section{A}\begin{eqnarray}a&=&b\label{a}\\&=&c\nonumber\end{eqnarray}"
    r"\begin{multline}x\\y\label{m}\end{multline}\begin{gather}u\\v\label{v}\end{gather}"
    r"\section{B}\begin{equation*}q\tag{Q}\label{q}\end{equation*}\begin{equation}w\label{w}\end{equation}"
)
ROWS = (
    r"\begin{align}a&=\begin{cases}1\\2\end{cases}\label{a}\\c&=d\notag\\e&\label{e}\\f\tag{$*$}\label{s}\end{align}"
    r"\begin{equation}\label{g}\begin{split}x\\y\end{split}\end{equation}"
)
PARTS = (
    r"\begin{subequations}\label{p}\begin{align}a\label{pa}\\b\label{pb}\end{align}\end{subequations}"
    r"\begin{equation}z\label{z}\end{equation}"
)


@pytest.mark.parametrize(
    ("preamble", "tex", "text"),
    [
        ("", EQUATIONS + r"By (\ref{a}), \eqref{m}, (\ref{v}), \eqref{q} and \eqref{w}.", "By (1), (2), (4), (Q) and (5)."),
        (r"\numberwithin{equation}{section}", EQUATIONS + r"由\eqref{a}、\eqref{m}和\eqref{w}得。", "由(1.1)、(1.2)和(2.1)得。"),
        (r"\counterwithin{equation}{section}", EQUATIONS + r"Из (\ref{w}) следует.", "Из (2.1) следует."),
        (r"\renewcommand{\theequation}{\thesection-\Roman{equation}}", EQUATIONS + r"In \eqref{w} sei", "In (2-V) sei"),
        ("", ROWS + r"From \eqref{a}, \eqref{e}, \eqref{s}, \ref{g}.", "From (1), (2), ($*$), 3."),
        ("", PARTS + r"จาก \eqref{p}, \eqref{pa}, \eqref{pb} และ \eqref{z}", "จาก (1), (1a), (1b) และ (2)"),
        ("", r"\[a=b\tag{अ}\label{x}\] \eqref{x} से।", "(अ) से।"),
        ("", r"\begin{equation}a\end{equation}\setcounter{equation}{6}\begin{equation}b\label{b}\end{equation} في \eqref{b}", "في (7)"),
        (
            "",
            r"\begin{equation}a\end{equation}\appendix\renewcommand{\theequation}{S\arabic{equation}}"
            r"\setcounter{equation}{0}\begin{equation}b\label{b}\end{equation} in \eqref{b}",
            "in (S1)",
        ),
        (r"\newtheorem{satz}[equation]{Satz}", r"\begin{satz}x\end{satz}\begin{equation}y\label{y}\end{equation} vgl. \eqref{y}", "vgl. (2)"),
        (r"\def\be{\begin{equation}}\def\ee{\end{equation}}\def\req#1{(\ref{#1})}", r"\be x \label{x}\ee Par \req{x} on a", "Par (1) on a"),
    ],
)  # fmt: skip
def test_equations_are_referred_to_by_their_numbers(preamble: str, tex: str, text: str) -> None:
    assert last_line(tex, preamble) == text


def test_an_equation_that_is_referred_to_shows_its_number() -> None:
    assert text_of(ROWS + r"By \eqref{e}.") == (
        "\\begin{align} a&=\\begin{cases}1\\\\2\\end{cases}\\\\c&=d\\\\e& \\tag{2}\\\\f\\tag{$*$} \\end{align}\n\n"
        "$$\\begin{split}x\\\\y\\end{split}$$\nBy (2)."
    )
    assert text_of(r"\begin{equation} x \label{a}\end{equation}By \eqref{a}.") == "$$x \\tag{1}$$\nBy (1)."
    book = r"\chapter{A}\begin{equation}\label{e} x \end{equation}By \eqref{e} and $\stackrel{\eqref{e}}{=}$."
    assert (
        text_of(book, document_class="book") == "A\n\n$$x \\tag{1.1}$$\nBy (1.1) and $\\stackrel{(1.1)}{=}$."
    )


FLOATS = (
    r"\begin{figure}\begin{subfigure}{1cm}\caption{L}\label{fa}\end{subfigure}\caption{A}\label{f}\end{figure}"
    r"\begin{figure*}\subfloat[x\label{s1}]{p}\subfigure[y]{\label{s2}q}\caption{B}\label{g}\end{figure*}"
    r"\begin{table}\caption*{none}\caption{T\label{t}}\end{table}"
    r"\begin{longtable}{l}\caption{U}\label{u}\\a\end{longtable}"
)


@pytest.mark.parametrize(
    ("preamble", "tex", "text"),
    [
        ("", r"In Figure~\ref{g}, and in Tables \ref{t} and~\ref{u}.", "In Figure 2, and in Tables 1 and 2."),
        ("", r"图\ref{g}和表\ref{u}。", "图2和表2。"),
        ("", r"図\ref{fa}、図\ref{s2}を見よ。", "図1a、図2(b)を見よ。"),
        ("", r"На рис.~\ref{s1} и в таблице~\ref{t}", "На рис. 2(a) и в таблице 1"),
        (r"\renewcommand{\thetable}{\Roman{table}}", r"\autoref{u}, \Cref{f,g}", "Table II, Figures 1 and 2"),
        (r"\newcommand{\figref}[1]{Fig.~\ref{#1}}", r"See \figref{g}.", "See Fig. 2."),
        ("", r"See \nameref{g}.", "See B."),
    ],
)
def test_figures_and_tables_are_referred_to_by_the_numbers_of_their_captions(
    preamble: str, tex: str, text: str
) -> None:
    whole = text_of(f"{FLOATS}\n\n{tex}", preamble)
    assert text in whole.split("\n\n")


@pytest.mark.parametrize(
    ("document_class", "tex", "text"),
    [
        ("book", r"\chapter{A}\begin{figure}\caption{x}\label{f}\end{figure} See \ref{f}.", "See 1.1."),
        ("IEEEtran", r"\section{A}\subsection{B}\label{t} See \ref{t}.", "See I-A."),
        ("revtex4-2", r"\section{A}\label{t} See \ref{t}.", "See I."),
        ("siamart", r"\section{A}\begin{equation}x\label{f}\end{equation} See \eqref{f}.", "See (1.1)."),
    ],
)
def test_classes_have_numbers_of_their_own(document_class: str, tex: str, text: str) -> None:
    assert text in text_of(tex, document_class=document_class).replace("\n", "\n\n").split("\n\n")


@pytest.mark.parametrize(
    ("document_class", "text"),
    [
        ("llncs", "Theorem 1. x\n\nLemma 1. y\n\nBy Lemma 1."),
        ("lipics-v2021", "Theorem 1. x\n\nLemma 2. y\n\nBy Lemma 2."),
        ("acmart", "Theorem 0.1. x\n\nLemma 0.2. y\n\nBy Lemma 0.2."),
    ],
)
def test_theorems_that_known_classes_define_have_numbers(document_class: str, text: str) -> None:
    theorems = r"\begin{theorem}x\end{theorem}\begin{lemma}\label{l}y\end{lemma}By \cref{l}."
    assert text_of(theorems, document_class=document_class) == text
    own = r"\newtheorem*{lemma}{Лемма}"
    assert "Лемма. y" in text_of(theorems, own, document_class)


def test_items_footnotes_and_listings_are_referred_to_by_their_numbers() -> None:
    items = (
        r"\begin{enumerate}\item\label{i}a\begin{enumerate}\item\label{ii}b\end{enumerate}\end{enumerate}"
        r"\begin{enumerate}[label=(\roman*)]\item\label{j}a\end{enumerate}"
    )
    assert last_line(rf"{items} \ref{{i}}, \ref{{ii}}, \ref{{j}}.", r"\usepackage{enumitem}") == "1, 1a, (i)."
    own = r"\renewcommand{\theenumi}{(\roman{enumi})}\renewcommand{\labelenumi}{\theenumi}"
    assert text_of(r"\begin{enumerate}\item\label{i}甲\end{enumerate}由\ref{i}。", own) == "(i) 甲\n\n由(i)。"
    assert text_of(r"a\footnote{b}c\footnote{\label{n}d}, see note~\ref{n}.") == "ac, see note 2.\n\nb\n\nd"
    listing = "\\begin{lstlisting}[caption=并行,label={lst:a}]\nx\n\\end{lstlisting}"
    assert text_of(f"{listing} 代码\\ref{{lst:a}}") == "并行\n\nx\n代码1"


THEOREMS = (
    r"\section{One}\label{s}\begin{thm}\label{a}x\end{thm}\begin{lem}\label{b}y\end{lem}\begin{thm}\label{c}z\end{thm}"
    r"\begin{equation}x\label{e}\end{equation}\begin{equation}x\label{f}\end{equation}\appendix\section{More}\label{x}"
)
ENGLISH = r"\newtheorem{thm}{Theorem}[section]\newtheorem{lem}[thm]{Lemma}"


@pytest.mark.parametrize(
    ("preamble", "tex", "text"),
    [
        (ENGLISH, r"By \cref{a,b}.", "By Theorem 1.1 and Lemma 1.2."),
        (ENGLISH, r"By \cref{a,c}.", "By Theorems 1.1 and 1.3."),
        (ENGLISH, r"By \Cref{a,b,s}.", "By Theorem 1.1, Lemma 1.2 and Section 1."),
        (ENGLISH, r"By \cref{e,f} and \cref{e}.", "By Equations (1) and (2) and Equation (1)."),
        (ENGLISH, r"By \crefrange{a}{c} and \crefrange{e}{f}.", "By Theorems 1.1 to 1.3 and Equations (1) to (2)."),
        (ENGLISH, r"In \cref{x}, \autoref{x}, \nameref{x}, \nameref{s}.", "In Appendix A, Appendix A, More, One."),
        (ENGLISH, r"By \labelcref{e} and \autoref{f}.", "By (1) and Equation 2."),
        (ENGLISH, r"By \cref{a,nowhere}.", "By Theorem 1.1 and ??."),
        (ENGLISH + r"\crefname{equation}{eq.}{eqs.}", r"By \cref{e}. \Cref{e,f}", "By eq. (1). Eqs. (1) and (2)"),
        (ENGLISH + r"\crefformat{section}{\S#2#1#3}", r"In \cref{s}.", "In §1."),
        (
            r"\usepackage[ngerman]{babel}\newtheorem{thm}{Satz}\newtheorem{lem}{Lemma}",
            r"Nach \cref{a,b}, \cref{e,f}, \cref{s}, \crefrange{e}{f}, \cref{x}.",
            "Nach Satz 1 und Lemma 1, Gleichungen (1) und (2), Abschnitt 1, Gleichungen (1) bis (2), Anhang A.",
        ),
        (
            r"\usepackage[russian]{babel}\newtheorem{thm}{Теорема}\newtheorem{lem}{Лемма}",
            r"\cref{a,b}, \cref{s}",
            "Теорема 1 и Лемма 1, Раздел 1",
        ),
        (r"\usepackage{ctex}\newtheorem{thm}{定理}\newtheorem{lem}{引理}", r"由\cref{a,b}得。", "由定理 1和引理 1得。"),
        (
            r"\usepackage{thmtools}\declaretheorem[name=ทฤษฎีบท,numberwithin=section]{thm}\declaretheorem[name=บทตั้ง,sibling=thm]{lem}",
            r"จาก \cref{a,b}",
            "จาก ทฤษฎีบท 1.1 and บทตั้ง 1.2",
        ),
        (
            r"\newtheorem{thm}{Theorem}[section]\def\also#1#2{\newaliascnt{#1}{thm}\newtheorem{#1}[#1]{#2}}\also{lem}{Lemme}",
            r"Par \cref{b}.",
            "Par Lemme 1.2.",
        ),
        (r"\newtheorem{thm}{Theorem}\newtheorem{lem}{Lemma}\renewcommand{\thethm}{\Alph{thm}}", r"By \cref{c}.", "By Theorem B."),
    ],
)  # fmt: skip
def test_cleveref_names_what_it_refers_to(preamble: str, tex: str, text: str) -> None:
    assert last_line(THEOREMS + tex, preamble) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"As in Figure~\ref{x}, it falls.", "As in Figure ??, it falls."),
        (r"It follows from \eqref{x} that $p$.", "It follows from (??) that $p$."),
        (r"The formula (\ref{x}) holds.", "The formula holds."),
        (r"So Equation~(\ref{x}) holds, สมการ (\ref{x})", "So Equation (??) holds, สมการ (??)"),
        (r"It holds (see \ref{x} and \ref{y}).", "It holds."),
        (r"It holds (see Figure~\ref{x}).", "It holds (see Figure ??)."),
        (r"从(\ref{x})可得，见图\ref{x}。", "从(??)可得，见图??。"),
        (r"Это видно из~(\ref{x}).", "Это видно из (??)."),
        (r"Shown in Table 1 on page~\pageref{x}.", "Shown in Table 1."),
        (r"Shown above (p.~\pageref{x}).", "Shown above."),
        (r"\section{A}\label{fig:x} In Figure~\ref{fig:x}.", "In Figure ??."),
        (r"\section{A}\begin{theorem}\label{t}x\end{theorem} By Theorem~\ref{t}.", "By Theorem ??."),
    ],
)
def test_a_sentence_stands_where_a_number_is_not_known(tex: str, text: str) -> None:
    assert text_of(tex).split("\n\n")[-1] == text


@pytest.mark.parametrize(
    "piece",
    [
        r"\begin{equation}",
        r"\[",
        r"\begin{align}\label{a}\\",
        r"\begin{figure}\caption{",
        r"\renewcommand{\theequation}{",
        r"\begin{subequations}",
        r"\begin{subequations}\begin{equation}\label{a}\end{equation}",
        r"\cref{a,b}",
        r"\ref{a}",
        r"\begin{enumerate}\item\label{i}",
        r"\footnote{\label{x}",
        r"\subfloat[",
        r"\numberwithin{a}{b}",
        r"\newaliascnt{a}{a}",
    ],
)
def test_no_reference_is_slow(piece: str) -> None:
    for preamble in ("", piece * 3000):
        begin = time.process_time()
        text_of(r"\label{a}" + piece * 3000 + r"\eqref{a}", preamble)
        assert time.process_time() - begin < 3


@pytest.mark.parametrize(
    "name", ["itemize", "enumerate", "figure", "quote", "subequations", "theorem", "tabbing"]
)
def test_no_nesting_of_environments_is_slow(name: str) -> None:
    """Nor is their text: items are indented by as many lists as anybody reads."""
    for piece in (rf"\begin{{{name}}}\item 字\label{{a}}", rf"\begin{{{name}}}\caption{{字}} a \\ b"):
        begin = time.process_time()
        text = text_of(piece * 16_000)
        assert time.process_time() - begin < 4 and len(text) < 80 * 16_000


def test_no_list_in_a_note_is_slow() -> None:
    begin = time.process_time()
    text = text_of("x" + r"\footnote{\begin{itemize}" + r"\item 字母 abc " * 60_000 + r"\end{itemize}}")
    assert text.count("- 字母 abc") == 60_000 and time.process_time() - begin < 3
