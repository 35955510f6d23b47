# ruff: noqa: E501
"""TeX to text: what a paper's reader reads, in many scripts; formulas as written; never slow, never a bomb."""

from __future__ import annotations

import gzip
import io
import random
import re
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.document import Record
from corpus.extract import ExtractedText, extract
from corpus.extract.latex import (
    commands,
    glossaries,
    label_counters,
    layout,
    lists,
    macros,
    marks,
    math,
    numbers,
    references,
    siunitx,
    source,
)
from corpus.extract.latex.paper import tex_to_text
from corpus.extract.latex.submission import SubmissionError, read_tex_files
from corpus.sources.papers.arxiv import SUBMISSION_MEDIA_TYPE

FORMULA = re.compile(r"\$\$.*?\$\$|\\begin\{([A-Za-z]+\*?)\}.*?\\end\{\1\}|\$[^$]*\$", re.DOTALL)


def body(text: str) -> str:
    return tex_to_text(f"\\documentclass{{article}}\n\\begin{{document}}\n{text}\n\\end{{document}}\nignored")


def submission(files: dict[str, str | bytes], compressed: bool = True) -> ExtractedText | None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return extracted(gzip.compress(out.getvalue()) if compressed else out.getvalue())


def extracted(data: bytes) -> ExtractedText | None:
    return extract(
        Record(native_id="x", file="x", offset=0, length=0, media_type=SUBMISSION_MEDIA_TYPE, body=data),
        "fast",
    )


@pytest.mark.parametrize(
    "tex, text",
    [
        ("one% gone\ntwo", "onetwo"),
        ("95\\% kept, 5\\%% gone\n more", "95% kept, 5%more"),
        ("a\\\\% gone\nb", "a b"),
        ("a\n% gone\nb", "a b"),
        ("a% gone\n\nb", "a\n\nb"),
        ("\\verb|100% \\it| and \\verb*+%+", "100% \\it and %"),
        ("\\begin{verbatim}\n% kept\n  x = {1}\n\\end{verbatim}", "% kept\n  x = {1}"),
        ("a \\iffalse b \\ifx c d\\fi e \\fi f", "a f"),
        ("\\begin{comment}\nno\n\\end{comment}yes", "yes"),
        ("\\url{http://a.b/c%20d} stays. % goes", "http://a.b/c%20d stays."),
        ("\\href {http://a.b/c%20d} {link} stays.", "link stays."),
        ("\\doi{10.1/a%3Cb}, \\nolinkurl{a%b}, \\path|c:\\d%e|, \\url!a%b!", "10.1/a%3Cb, a%b, c:\\d%e, a%b"),
        ("x\\footnote{\\url{http://a.b/\\%20c}} y", "x y\n\nhttp://a.b/%20c"),
        ("\\url{http://a.b/long%\n  er} stays.", "http://a.b/longer stays."),
        ("% \\url{a%b}\n\\url{open % goes", "open"),
        ("\\hrefs{a % goes\n} \\urlstyle{same} stays.", "a stays."),
    ],
)
def test_comments_take_nothing_but_themselves(tex: str, text: str) -> None:
    assert body(tex) == text


@pytest.mark.parametrize(
    "tex, text",
    [
        ("{\\it Caf\\'e} na\\\"{\\i}ve \\v{C}ech Erd\\H os \\c{c}a Stra\\ss e \\O rsted \\r{A} \\~{n} \\k a", "Café naïve Čech Erdős ça Straße Ørsted Å ñ ą"),
        ("Universit\\'{e} d'Orl\\'eans, Poincar\\'e--Birkhoff---Witt, pages 1--2", "Université d'Orléans, Poincaré–Birkhoff—Witt, pages 1–2"),
        ("``quoted'' and `single' don't, `x", "“quoted” and ‘single’ don't, `x"),
        ("Prof.~A, 3\\,km, 50\\%, \\$5, R\\&D, a\\_b, \\#1, \\{x\\}, \\S2", "Prof. A, 3 km, 50%, $5, R&D, a_b, #1, {x}, §2"),
        ("\\textbf{bold \\emph{and} it}, {\\bf old} \\textcolor{red}{red} \\href{http://x.y}{link} \\url{http://a.b/c_d~e%20f}", "bold and it, old red link http://a.b/c_d~e%20f"),
        ("\\LaTeX{} is \\TeX. \\unknown{kept} \\unknown[x=1]{text} \\hspace{1cm}\\hskip 2pt plus 1pt minus 1pt end", "LaTeX is TeX. kept text end"),
        ("\\textbf{12} {\\bf 3 in 4} \\mbox{5} \\noindent 2 cm\\textsuperscript{3} \\penalty10000 a\\parskip 3pt plus 1pt b\\tolerance=500 c", "12 3 in 4 5 2 cm³ a b c"),
        ("<<Да>> и ``нет''", "«Да» и “нет”"),
    ],
)  # fmt: skip
def test_signs_and_accents_become_characters(tex: str, text: str) -> None:
    assert body(tex) == text


@pytest.mark.parametrize(
    "tex, text",
    [
        ("Known \\cite{a}. More~\\cite[p.~3]{a,b}, and (\\cite{c}; \\cite{d}) so.", "Known. More so."),
        ("As in \\cite{a} and \\cite{b,c}, see \\citep[e.g.][]{d}.", "As in [1, 2, 3], see [4]."),
        ("It holds. \\citet{a} showed it.", "It holds. [1] showed it."),
        (
            "By (\\ref{x}) and (\\ref{y}), Section~\\ref{z} holds (see \\eqref{w}).",
            "By (??) and (??), Section ?? holds.",
        ),
        ("文献\\cite{a}提出了方法\\cite{b}。", "文献[1]提出了方法。"),
        ("Это показано в~\\cite{a}, и верно~\\cite{b}.", "Это показано в [1], и верно."),
        ("text\\footnote{A note with \\emph{it}.} goes on.", "text goes on.\n\nA note with it."),
        ("x\\label{a}\\index{b} y", "x y"),
    ],
)
def test_citations_and_references_leave_no_holes(tex: str, text: str) -> None:
    assert body(tex) == text


@pytest.mark.parametrize(
    "tex, text",
    [
        ("Let $x^2 % c\n = 1$ and \\(y\\) or \\$3.", "Let $x^2 = 1$ and $y$ or $3."),
        ("So \\[ a = b. \\] Then", "So\n$$a = b.$$\nThen"),
        ("So $$ a \\hbox{ if $b$} $$ then", "So\n$$a \\hbox{ if $b$}$$\nthen"),
        ("\\begin{equation}\\label{e}\n a \\\\[2pt]\n b \\end{equation}", "$$a \\\\[2pt]\nb$$"),
        (
            "\\begin{align*} a &= b \\nonumber\\\\ c &= d \\end{align*}",
            "\\begin{align*} a &= b \\\\ c &= d \\end{align*}",
        ),
        ("A \\$ and an unclosed $ sign {here}.", "A $ and an unclosed sign here."),
        ("$a$$b$ $\\alpha$$x$ $x^2$$^3$", "$ab$ $\\alpha x$ $x^2{}^3$"),
        ("\\newcommand{\\R}{\\ensuremath{\\mathbb{R}}}\\R{}$^n$ \\verb|$x$|$y$", "$\\mathbb{R}^n$ $x$$y$"),
        ("The number $$ r = \\frac{2a+1}{9b+4} $$ is", "The number\n$$r = \\frac{2a+1}{9b+4}$$\nis"),
        ("{\\small 令 $$ x_{i} $$ 则} $y$", "令\n$$x_{i}$$\n则 $y$"),
        ("\\begin{center}Пусть $$ x $$\\end{center}", "Пусть\n$$x$$"),
        ("\\begin{itemize}\\item a $$ z $$ b\\end{itemize}", "- a\n$$z$$\nb"),
        ("\\begin{proof}$$ x $$\\end{proof}", "Proof.\n$$x$$"),
        ("a\\footnote{see $$ x $$ here}", "a\n\nsee\n$$x$$\nhere"),
        ("$$ a = b \\eqno(1.2) $$ By (1.2)", "$$a = b \\eqno(1.2)$$\nBy (1.2)"),
        (
            "$$ \\cases{1 & if $x$,\\cr 0 & if $y$$z$.\\cr} $$",
            "$$\\cases{1 & if $x$,\\cr 0 & if $y$$z$.\\cr}$$",
        ),
        ("$$\\eqalignno{a &= b &(1)\\cr\n&= c\\cr}$$", "$$\\eqalignno{a &= b &(1)\\cr\n&= c\\cr}$$"),
        ("$$ x\\$$$ y $$z$$", "$$x\\$$$\ny\n$$z$$"),
        ("\\def\\beq{$$}\\def\\eeq{$$}\\beq x \\eeq and", "$$x$$\nand"),
    ],
)
def test_formulas_stay_as_they_are_written(tex: str, text: str) -> None:
    assert body(tex) == text


@pytest.mark.parametrize(
    "tex, text",
    [
        ("$$ a $ so that $b$, and $$ d $$ end", "$$a$$\nso that $b$, and\n$$d$$\nend"),
        (
            "Lost $$ a. Then here it is.\n\nText $$ b $$ end $c$.",
            "Lost a. Then here it is.\n\nText\n$$b$$\nend $c$.",
        ),
        ("数 $$ 甲。这是下一句话的文字。\n\n又 $$ b $$ 完", "数 甲。这是下一句话的文字。\n\n又\n$$b$$\n完"),
        ("$$ a\n\n\\hbox{for all of the x in $D$} $$ $c$", "$$a\n\\hbox{for all of the x in $D$}$$\n$c$"),
        ("$$\\vbox{a\n\nb}$$ c", "$$\\vbox{a\nb}$$\nc"),
        ("$$ {\\bf a $$ text $$ b $$ c", "$${\\bf a$$\ntext\n$$b$$\nc"),
        ("$$$$ c $$x$$", "c\n$$x$$"),
        ("\\hbox{$$} d $x$", "d $x$"),
    ],
)
def test_a_display_without_its_end_costs_nothing_but_itself(tex: str, text: str) -> None:
    assert body(tex) == text


def test_patterns_mean_the_same_in_every_python() -> None:
    # Before 3.11.5 the possessive repetition of a group goes on behind what a failed turn has read.
    for module in (
        commands,
        glossaries,
        label_counters,
        layout,
        lists,
        macros,
        marks,
        math,
        numbers,
        references,
        siunitx,
        source,
    ):
        for name, pattern in vars(module).items():
            if isinstance(pattern, re.Pattern):
                possessive = re.search(r"\)(?:[*+?]|\{[\d,]+\})\+", str(pattern.pattern))
                assert possessive is None, (module.__name__, name)


@pytest.mark.parametrize(
    "tex, text",
    [
        ("\\newcommand{\\R}{\\mathbb{R}}$\\R^n$", "$\\mathbb{R}^n$"),
        ("\\def\\a{\\alpha}$\\a x$, $\\a{}$", "$\\alpha x$, $\\alpha{}$"),
        ("\\newcommand{\\pair}[2]{\\langle #1,#2\\rangle}$\\pair{a}b$", "$\\langle a,b\\rangle$"),
        ("\\newcommand{\\n}[2][k]{#1-#2}\\n{x} \\n[j]{x}", "k-x j-x"),
        ("\\DeclareMathOperator{\\Hom}{Hom}$\\Hom(A)$", "$\\operatorname{Hom}(A)$"),
        ("\\let\\eps\\varepsilon\\renewcommand\\phi{\\varphi}$\\eps\\phi$", "$\\varepsilon\\varphi$"),
        ("\\def\\be{\\begin{equation}}\\def\\ee{\\end{equation}}\\be x \\ee", "$$x$$"),
        ("\\newcommand{\\sys}{\\textsc{Sys}\\xspace}\\sys works, \\sys.", "Sys works, Sys."),
        ("\\newenvironment{claim}{\\noindent\\textbf{Claim.} }{}\\begin{claim}It is.\\end{claim}", "Claim. It is."),
        ("\\newtheorem{satz}{Satz}[section]\\begin{satz}[Gauß] Ja.\\end{satz}\\begin{proof}Klar.\\end{proof}", "Satz 0.1 (Gauß). Ja.\n\nProof. Klar."),
        ("\\begin{proof}[of Lemma 2]A.\\end{proof}\\begin{proof}[Beweis]B.\\end{proof}", "Proof of Lemma 2. A.\n\nBeweis. B."),
        ("\\def\\x{\\x\\x}\\x done", "done"),
        ("\\newcommand{\\cd}[1]{\\frac{\\d#1}{2}}\\def\\d{d}$\\cd{x}$", "$\\frac{d x}{2}$"),
    ],
)  # fmt: skip
def test_macros_are_written_out(tex: str, text: str) -> None:
    assert " ".join(body(tex).split(" ")) == text


@pytest.mark.parametrize(
    "tex, text",
    [
        ("\\section{One}a\\subsection*{Two}b\\paragraph{Three.}c\\subparagraph*{Four}d", "One\n\na\n\nTwo\n\nb\n\nThree.\n\nc\n\nFour\n\nd"),
        ("\\section[short]{Long \\emph{title}\\label{s}}x", "Long title\n\nx"),
        ("\\begin{itemize}\\item a\n\\item[$\\bullet$] b\\end{itemize}c", "- a\n$\\bullet$ b\n\nc"),
        ("\\begin{enumerate}[(i)]\\item a\\item b\\end{enumerate}", "(i) a\n(ii) b"),
        ("\\begin{figure}[ht]\\centering\\includegraphics[width=1cm]{a}\\caption{A \\textbf{cat}.}\\label{f}\\end{figure}", "A cat."),
        ("text\n\\begin{figure}\\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture}\\caption{Cap}\\end{figure}\ngoes on", "text goes on\n\nCap"),
        ("\\begin{tabular}{l|c}\\hline A & B \\\\ \\hline 数 & $x$\\\\[1ex] & \\\\ \\multicolumn{2}{c}{all}\\end{tabular}", "A | B\n数 | $x$\nall"),
        ("\\begin{tabular}{ll}\\toprule\\cmidrule(lr){1-2} \\makecell[c]{a\\\\b} & c \\\\\\addlinespace[2pt] \\arrayrulecolor{black!30}d & {e}\\\\\\hdashline[1pt/2pt]f\\end{tabular}", "a b | c\nd | e\nf"),
        ("\\title{A \\thanks{x} Title}\\author{Me}\\date{}\\maketitle\\begin{abstract}Short.\\end{abstract}Long.", "A Title\n\nShort.\n\nLong."),
        ("a\\begin{thebibliography}{9}\\bibitem{x} Old.\\end{thebibliography}\\appendix\\section{App}kept", "a\n\nApp\n\nkept"),
        ("First.\n\n\\section*{References}\n[1] Old.\n\n[2] Older.\n\n\\section{More}kept", "First.\n\nMore\n\nkept"),
        ("No header at all, and still a paper.", "No header at all, and still a paper."),
    ],
)  # fmt: skip
def test_the_parts_of_a_paper(tex: str, text: str) -> None:
    assert body(tex) == text


def test_theorems_and_sections_are_referred_to_by_their_numbers() -> None:
    tex = """\\newtheorem{thm}{Theorem}[section]\\newtheorem{lem}[thm]{Lemma}\\newtheorem*{rem}{Remark}\\newtheorem{q}{问题}
    \\section*{Zero}\\section{One}\\label{s1}
    \\begin{thm}\\label{t}\n\nTrue.\\end{thm}
    \\begin{lem}[Main]\\label{l}\\begin{enumerate}\\item\\label{i} a\\end{enumerate}\\label{l2}\\end{lem}
    \\begin{rem}Unnumbered.\\end{rem}\\begin{q}\\label{q}吗？\\end{q}
    \\section{Two}\\subsection{Sub}\\label{s2}\\begin{thm}\\label{t2}Also.\\begin{equation}x\\label{e}\\end{equation}\\end{thm}
    \\appendix\\section{App}\\label{a}
    By Theorem~\\ref{t}, Lemma \\ref{l2} and \\cref{t2}, Sections \\ref{s1}, \\ref{s2} and~\\ref{a}, (\\ref{e}), 问题\\ref{q}; item \\ref{i} too."""
    text = body(tex)
    for heading in (
        "Theorem 1.1. True.",
        "Lemma 1.2 (Main).",
        "Remark. Unnumbered.",
        "问题 1. 吗？",
        "Theorem 2.1. Also.",
    ):
        assert heading in text
    assert text.endswith(
        "By Theorem 1.1, Lemma 1.2 and Theorem 2.1, Sections 1, 2.1 and A, (1), 问题1; item 1 too."
    )


def test_papers_older_than_latex2e() -> None:
    old = "\\documentstyle[12pt]{article}\n\\title{Old}\n\\begin{document}\\maketitle\nText.\\end{document}"
    assert tex_to_text(old) == "Old\n\nText."
    plain = "\\magnification=1200 \\hsize=6in\\vskip 1cm\\centerline{\\bf A Title}\n\\beginsection 1. Start\\par\nText {\\it it}.\n\\proclaim{Theorem 1} True.\\endproclaim\n\\item{(a)} an item\n\\bye gone"
    assert tex_to_text(plain) == "A Title\n\n1. Start\n\nText it.\n\nTheorem 1. True.\n\n(a) an item"
    ams = "\\documentstyle{amsppt}\\topmatter\\title On $x$\\endtitle\\author Me\\endauthor\\abstract Short.\\endabstract\\endtopmatter\\document\n\\head 1. One\\endhead\nText.\\Refs \\ref\\key 1\\endref\\endRefs\\enddocument"
    assert tex_to_text(ams) == "On $x$\n\nShort.\n\n1. One\n\nText."


CHINESE = "\\documentclass{ctexart}\n\\title{深度学习综述}\n\\begin{document}\n\\maketitle\n\\section{引言}\n深度学习是机器\n学习的分支，见图~\\ref{a}。\n\\begin{定理}成立。\\end{定理}\\end{document}"
RUSSIAN = "\\documentclass{article}\\usepackage[T2A]{fontenc}\\usepackage[cp1251]{inputenc}\\usepackage[russian]{babel}\\begin{document}\\section{Введение}Рассмотрим пространство $X$, в котором всё\nхорошо~--- и точка.\\end{document}"
JAPANESE = (
    "\\documentclass{jarticle}\\begin{document}\\section{はじめに}これは日本語の\n論文である。\\end{document}"
)


def test_papers_in_other_scripts() -> None:
    chinese = "深度学习综述\n\n引言\n\n深度学习是机器学习的分支，见图 ??。\n\n成立。"
    assert tex_to_text(CHINESE) == chinese
    gbk = extracted(CHINESE.replace("ctexart}", "ctexart}\\usepackage[GBK]{inputenc}").encode("gbk"))
    assert gbk is not None and gbk.text == chinese
    russian = extracted(RUSSIAN.encode("cp1251"))
    assert russian is not None
    assert russian.text == "Введение\n\nРассмотрим пространство $X$, в котором всё хорошо — и точка."
    koi = extracted((RUSSIAN.replace("[cp1251]", "[koi8-r]") * 3).encode("koi8-r"))
    assert koi is not None and koi.text == russian.text
    assert tex_to_text(JAPANESE) == "はじめに\n\nこれは日本語の論文である。"
    thai = body("\\section{บทนำ}นี่คือ\\textbf{บทความ}ภาษาไทย")
    assert thai == "บทนำ\n\nนี่คือบทความภาษาไทย"
    proofs = {
        "[ngerman]{babel}": "Beweis",
        "[english,russian]{babel}": "Доказательство",
        "{ctex}": "证明",
        "{xeCJK}": "证明",
    }
    for package, proof in proofs.items():
        paper = f'\\documentclass{{article}}\\usepackage{package}\\begin{{document}}\\begin{{proof}}A "--- B.\\end{{proof}}\\end{{document}}'
        dash = '"—' if "CJK" in package or "ctex" in package else "—"
        assert tex_to_text(paper) == f"{proof}. A {dash} B."
    assert body("\\textarabic{هذا \\textbf{بحث}} और \\texthindi{यह शोध} है") == "هذا بحث और यह शोध है"
    assert (
        tex_to_text('\\documentclass{article}\\usepackage{german}\\begin{document}Gr"o"se\\end{document}')
        == "Größe"
    )


def test_one_byte_that_cannot_be_read_costs_itself() -> None:
    data = (
        "\\documentclass{a}\\begin{document}Universität für Ökologie, Größe über Maß, Türen, Gärten, Höfe, Bäume, ".encode()
        + b"\xff"
        + " wie früher.\\end{document}".encode()
    )
    found = extracted(data)
    assert (
        found is not None
        and found.text
        == "Universität für Ökologie, Größe über Maß, Türen, Gärten, Höfe, Bäume, \ufffd wie früher."
    )


def test_files_are_read_where_the_main_one_asks_for_them() -> None:
    found = submission(
        {
            "._main.tex": b"\0\x05\x16\x07",
            "z_first.tex": "Second. \\input{parts/deep}",
            "main.tex": "\\documentclass{article}\\usepackage{own}\\begin{document}\\input z_first\n\\include{gone}\\input{main}\\own\\end{document}",
            "parts/deep.tex": "Third. \\input{parts/deep}\\input{../../etc/passwd}",
            "a_old.tex": "\\documentclass{article}\\begin{document}An older, shorter one.\\end{document}",
            "own.sty": "\\newcommand{\\own}{Fourth.}\\newcommand{\\section}{no}",
            "fig.eps": b"%!PS" * 1000,
            "paper.bbl": "\\begin{thebibliography}{1}\\bibitem{a} Old.\\end{thebibliography}",
        }
    )
    assert found is not None and found.text == "Second. Third.\n\nFourth."


def test_what_is_no_paper_is_none_or_refused() -> None:
    assert submission({"a.eps": b"x", "read.me": "nothing"}) is None
    assert extracted(bytes(range(256)) * 20) is None
    with pytest.raises(SubmissionError, match="damaged"):
        extracted(gzip.compress(b"\\documentclass{article}" * 1000)[:40])


def test_bombs_and_mazes_end() -> None:
    nested = "".join(
        f"\\newcommand{{\\x{chr(97 + n)}}}{{\\x{chr(98 + n)}\\x{chr(98 + n)}}}" for n in range(20)
    )
    start = time.process_time()
    assert len(body(f"{nested}\\xa{{}} end")) < 10_000_000
    files: dict[str, str | bytes] = {f"f{n}.tex": f"\\input{{f{n + 1}}}" * 10 for n in range(11)}
    files["f11.tex"] = "text " * 1000
    files["f0.tex"] = "\\documentclass{a}\\begin{document}" + "\\input{f1}" * 10
    with pytest.raises(SubmissionError, match="characters of TeX"):
        submission(files)
    for piece in ("{", "}", "$", "\\a{", "$${", "{$$}", "$${$$}", "$$ x\n\n", "$$x\\,{", "\\begin{x}", "\\begin{figure}", "\\footnote{", "\\cite{", "\\item[", "%", "\\(", "\\verb|", "`", "\\iffalse ", "\\if\\iffalse ", "\\def\\x", "[", "(\\ref{a}", "\\'", "\\begin{verbatim}", "\\newcommand{\\x}[1]{", "\\multicolumn{2}{", "\\title", "``x"):  # fmt: skip
        assert body(piece * 10_000) is not None
    assert time.process_time() - start < 20
    with pytest.raises(SubmissionError, match=r"inflates|more than"):
        extracted(gzip.compress(bytes(1 << 26)))


@settings(max_examples=200)
@given(st.text(alphabet="\\{}$%&~[]()`'\"-ab 中\n#1_^", max_size=60))
def test_any_text_is_survived_and_leaves_no_marks(text: str) -> None:
    found = body(text)
    assert re.search("[\x00-\x08\x0e-\x1f]", found) is None


BLACKBOARD = (
    "\\font\\tenmsb=msbm10 \\newfam\\msbfam \\textfont\\msbfam=\\tenmsb \\scriptfont\\msbfam=\\sevenmsb\n"
)


@pytest.mark.parametrize(
    "tex, text",
    [
        (BLACKBOARD + "\\def\\Bbb#1{\\fam\\msbfam#1}\\def\\R{{\\Bbb R}}$\\R^d$, $\\Bbb{C}$", "${\\mathbb{R}}^d$, $\\mathbb{C}$"),
        (BLACKBOARD + "\\def\\Bbb{\\fam\\msbfam\\tenmsb}${\\Bbb R}$, ${\\fam\\msbfam\\relax AB}$", "${\\mathbb R}$, ${\\mathbb{AB}}$"),
        ("\\def\\rm{\\fam0\\twelverm}{\\rm Text} $\\rm x$", "Text $\\rm x$"),
        ("$\\empty$ $\\emptyset$ $a\\empty$", "$\\emptyset$ $a$"),
    ],
)  # fmt: skip
def test_fonts_of_formulas_have_their_usual_names(tex: str, text: str) -> None:
    assert body(tex) == text


def test_footnotes_of_plain_tex_lose_their_mark_and_not_their_text() -> None:
    tex = "题\\footnote{$\\empty$}{\\rm 资助。} 二\\footnote*{甲。} 三\\footnote{\\dag}{乙。} 四\\footnote{$^1$}{丙。}"
    assert body(tex) == "题 二 三 四\n\n资助。\n\n甲。\n\n乙。\n\n丙。"


def leftovers(text: str) -> float:
    """Backslashes and braces outside formulas, per 100,000 characters."""
    prose = FORMULA.sub("", text)
    return 1e5 * len(re.findall(r"[\\{}]", prose)) / max(1, len(prose))


TELLING = {
    "0303/math0303001.gz": "Let $\\ell$ be an odd prime. Let $K$ be a field of characteristic zero with algebraic closure $K_a$.",
    "0303/math0303002.gz": "These are coherent sheaves of ideals, and it is well-known that",
    "0303/math0303003.gz": "In this paper we describe closed string topology operations in $h_*(LM)$, where $h_*$ is a generalized homology theory",
    "0303/math0303005.gz": "Every lattice is isomorphic to a lattice whose elements are sets of sets and whose operations are intersection",
    "0303/math0303007.gz": "it also maps rays from the origin into rays from the origin.",
    "0504/math0504297.gz": "The Robin problem (also known as the “third” boundary problem) for a Euclidean domain",
    "0504/math0504298.gz": "An additive disturbance (the ‘adversary’)",
    "0504/math0504299.gz": "The main idea of the octahedron recurrence is rather transparent. Specifically, consider the octahedron",
}  # fmt: skip
GONE = re.compile(
    r"\\(?:cite|ref|label|begin\{(?:figure|table|itemize|thebib|tabular))|\( ?\)|\[ ?\]|\bbibitem\b|[\x00-\x08]| ,(?! )"
)


def test_real_papers_read_well(data: Path) -> None:
    read = 0
    for path in sorted(data.glob("arxiv/bulk/*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name not in TELLING:
                    continue
                stream = tar.extractfile(member)
                found = extracted(stream.read() if stream else b"")
                assert found is not None
                assert TELLING[member.name].casefold() in found.text.casefold(), member.name
                assert GONE.findall(FORMULA.sub("x", found.text)) == [], member.name
                assert leftovers(found.text) <= 5, member.name
                read += 1
    assert read == len(TELLING)


def test_a_paper_of_many_files_and_a_book(data: Path) -> None:
    found = extracted((data / "arxiv/s2orc/2004.14974.gz").read_bytes())
    assert found is not None and found.metadata["title"] == "Fact or Fiction: Verifying Scientific Claims"
    for sentence in (
        "We introduce scientific claim verification, a new task to select abstracts from the research literature",
        "Train | 332 | 304 | 173 | 809",
        "The SciFact dataset consists of 1,409 scientific claims verified against a corpus of 5,183 abstracts.",
    ):
        assert sentence in found.text
    assert "_old" not in found.text and leftovers(found.text) <= 5
    book = extracted((data / "arxiv/author-latex/HoTT-book.tar.gz").read_bytes())
    assert book is not None and book.text.startswith(
        "Homotopy Type Theory: Univalent Foundations of Mathematics"
    )
    assert "Homotopy type theory is a new branch of mathematics that combines aspects of several" in book.text
    assert len(book.text) > 1_000_000 and leftovers(book.text) <= 20


@pytest.mark.soak
def test_damaged_papers_are_read_or_refused(data: Path) -> None:
    """3,000 papers with pieces lost, doubled and put in: no error, no mark left, never slow."""
    draw = random.Random(7)
    signs = [
        b"{",
        b"}",
        b"$",
        b"$$",
        b"%",
        b"&",
        b"\\[",
        b"\\begin{",
        b"\\end{",
        b"\\def\\a{\\a\\a}",
        b"\n\n",
        b"\\verb|",
    ]
    papers = []
    for path in sorted(data.glob("arxiv/bulk/*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name in TELLING and (stream := tar.extractfile(member)) is not None:
                    papers += [text for text in read_tex_files(stream.read()).values() if b"\\begin" in text]
    for _ in range(3000):
        paper = bytearray(draw.choice(papers))
        for _ in range(draw.randint(1, 30)):
            at = draw.randrange(len(paper))
            end, kind = at + draw.randint(1, 400), draw.random()
            if kind < 0.3:
                del paper[at:end]
            elif kind < 0.5:
                paper[at:at] = paper[at:end]
            elif kind < 0.8:
                paper[at:at] = draw.choice(signs)
            else:
                paper[at] = draw.randrange(256)
        start = time.process_time()
        found = extracted(bytes(paper))
        assert time.process_time() - start < 0.2 + 5e-6 * len(paper)
        assert found is None or re.search("[\x00-\x08\x0b-\x1f]", found.text) is None


def test_ensuremath_is_a_formula_in_text_and_nothing_in_a_formula() -> None:
    macros = r"\newcommand{\LEM}[1]{\ensuremath{\mathsf{LEM}_{#1}}}\newcommand{\Id}{\ensuremath{\mathsf{Id}}}"
    assert body(macros + r"With \LEM{\infty} and \Id, 排中律 \ensuremath{x < y}: $\Id(a,b)$.") == (
        r"With $\mathsf{LEM}_{\infty}$ and $\mathsf{Id}$, 排中律 $x < y$: ${\mathsf{Id}}(a,b)$."
    )
    assert body(r"open \ensuremath{x and on") == "open x and on"
    assert body(r"both \ensuremath{$x$}.") == "both $x$."


def test_environments_that_a_paper_calls_after_those_of_amsmath_are_formulas() -> None:
    text = body("Thus\n\\begin{narrowmultline*}\na = b \\\\\n= c\n\\end{narrowmultline*}\nand so on.")
    assert text == "Thus\n\\begin{multline*}a = b \\\\\n= c\n\\end{multline*}\nand so on."
