"""List what the commands of LaTeX, plain TeX and AMS-TeX mean for a reader. Standard names, from their manuals."""

from __future__ import annotations


def split_names(listed: str) -> frozenset[str]:
    """Split a list of names."""
    return frozenset(listed.split())


HEADINGS = split_names(
    "poemtitle addchap addsec chap chapter head heading paragraph part sect section section* specialsection subhead "
    "subheading subparagraph subsect subsection subsection* subsubhead subsubheading subsubsection "
    "subsubsubsection"
)
TITLES = split_names("Title icmltitle papertitle title")
CITES = split_names(
    "Cite Citealp Citealt Citeauthor Citep Citet autocite autocites bibentry cite citeA citeN citeNP "
    "citealias citealp citealt citeauthor cited citen citenum citeonline citep cites citet citetext "
    "citeyear citeyearpar footcite fullcite nocite onlinecite parencite parencites refcite shortcite "
    "shortciteA shortciteN smartcite supercite textcite textcites"
)
STANDARD_REFS = split_names(
    "Cref Crefrange Eqref Fref Vref autoref cpageref cref crefrange cvref eqref fref hyperref labelcref lcnamecref "
    "namecref nameCref nameref pageref prettyref ref subref vpageref vref vrefrange zref"
)
REFS = STANDARD_REFS | split_names("figref lemref refeq rf secref tabref thmref")
"""Those of packages, and those that classes and papers define themselves."""
DROPPED_COMMANDS = {
    **dict.fromkeys(
        split_names(
            "fontseries fontshape fontfamily bookmark setmainfont setCJKmainfont "
            "AtBeginDocument CCSXML DeclareGraphicsExtensions PACS RequirePackage accepted acmDOI acmYear "
            "addbibresource address addtocontents affil affiliation allowdisplaybreaks altaffiliation "
            "arraystretch author authorrunning authors balance bibitem bibliography bibliographystyle "
            "captionsetup cfoot chead collaboration color corref cortext curraddr date dedicatory "
            "documentclass documentstyle ead email enlargethispage epsfbox epsffile epsfig fancyfoot fancyhead "
            "fnref fntext fontencoding footnotemark geometry glossary graphicspath homepage hphantom hspace "
            "hspace* hypersetup hyphenation include includegraphic includegraphics includeonly index input "
            "inputencoding inst institute institution keywords label leftheadtext lfoot lhead linespread lstset "
            "makeatletter makeatother newgeometry newlength newsavebox nocite numberwithin offprints orcid pacs "
            "pagecolor pagenumbering pagestyle pdfbookmark phantom preprint printbibliography psfig received "
            "refstepcounter rfoot rhead rightheadtext runningauthor runningtitle selectlanguage shortauthors "
            "shorttitle special stepcounter subjclass swapnumbers thanks theoremstyle thispagestyle tikz tikzset "
            "titlerunning tnoteref urladdr usebox usepackage usetikzlibrary value vphantom vspace vspace*"
        ),
        1,
    ),
    **dict.fromkeys(
        split_names(
            "ThisLLCornerWallPaper DeclareMathOperator addtocounter addtolength bibfield bibinfo ccsdesc counterwithin "
            "fontsize "
            "icmlaffiliation icmlauthor markboth newcolumntype newcommand pdfinfo providecommand renewcommand "
            "rule savebox setlength settowidth urlstyle"
        ),
        2,
    ),
    **dict.fromkeys(
        split_names("addcontentsline definecolor newenvironment newtheorem renewenvironment"),
        3,
    ),
    **dict.fromkeys(
        split_names("usefont DeclareFontFamily DeclareMathSymbol DeclareSymbolFont SetSymbolFont"),
        4,
    ),
}
"""Commands that vanish with so many arguments in braces; options in brackets before them too."""
DROPPED_COMMANDS |= {
    **dict.fromkeys(
        split_names(
            "sisetup lstinputlisting verbatiminput tcbset pgfplotsset setlist makeglossaries setminted usemintedstyle "
            "DeclareGraphicsRule sethlcolor setcitestyle usepgfplotslibrary settopmatter setcopyright copyrightyear "
            "acmConference acmBooktitle acmPrice acmISBN acmJournal acmVolume acmNumber acmArticle acmMonth "
            "acmSubmissionID "
            "ExecuteBibliographyOptions setstretch pgfmathsetmacro tikzstyle glsaddall glsadd glsreset acresetall "
            "newtcolorbox setmathfont setsansfont setmonofont newfontfamily SetKwInOut SetKw algblock allsectionsfont "
            "sectionfont subsectionfont crefalias deleted removed sout xout st cancel todo missingfigure marginpar "
            "marginnote fxnote fxwarning fxerror pdfcomment DIFdel DIFdelFL textblockorigin chapterprecis "
            "setuptodonotes definechangesauthor graphicspath pgfkeys SetAlgoLined hyphenchar urldef listfiles "
            "includepdf includestandalone microtypesetup IfFileExists flushbottom totvalue formbytotal "
            "setkeys lstloadlanguages column usetheme usecolortheme usefonttheme useoutertheme useinnertheme "
            "usebeamercolor usebeamerfont setbeamercovered AtBeginSection AtBeginSubsection tikzinput "
            "inputencoding DeclareUnicodeCharacter CJKfamily newCJKfontfamily punctstyle zihao ctexset xeCJKsetup "
            "dingline dingfill newtoggle toggletrue togglefalse newbool booltrue boolfalse newboolean provideboolean "
            "indentpattern poemlines noalign orcidlink tablenotemark tnote IEEEpubid externaldocument icmlkeywords "
            "tablecolumns tabletypesize"
        ),
        1,
    ),
    **dict.fromkeys(
        split_names(
            "setbeamertemplate setbeamercolor setbeamerfont setbeamersize "
            "lstdefinestyle DeclareSIUnit DeclareSIPrefix newlist newglossary inputminted "
            "DeclarePairedDelimiter DeclareFieldFormat DeclareCaptionFormat DeclareCaptionLabelFormat SetKwInput "
            "algnewcommand algrenewcommand newunit setcitation DeclareNameAlias AtBeginEnvironment patchcmd "
            "newmintinline newminted DeclareBibliographyCategory counterwithout counterwithin* nomenclature "
            "setCJKfamilyfont setboolean setbool settoggle"
        ),
        2,
    ),
    **dict.fromkeys(
        split_names(
            "DefineVerbatimEnvironment lstnewenvironment lstdefinelanguage crefname Crefname crefformat Crefformat "
            "newtcbtheorem"
        ),
        3,
    ),
    **dict.fromkeys(split_names("titleformat"), 5),
    **dict.fromkeys(split_names("titlespacing"), 4),
    **dict.fromkeys(split_names("bibpunct"), 6),
}
"""Settings of packages, notes of reviewers, and words that they deleted: none is printed as text."""
DELETION_ENDS = {"DIFdelbegin": "\\DIFdelend", "DIFdelbeginFL": "\\DIFdelendFL"}
"""Marks around what latexdiff shows as deleted."""
QUANTITIES = {
    "SI": 2, "si": 1, "num": 1, "ang": 1, "qty": 2, "unit": 1, "SIrange": 3, "qtyrange": 3, "numrange": 2, "SIlist": 2,
    "qtylist": 2, "numlist": 1, "numproduct": 1, "qtyproduct": 2, "complexnum": 1, "complexqty": 2, "tablenum": 1,
}  # fmt: skip
"""Commands of siunitx, and how many arguments they take."""
RANGE_WORDS = {
    "": " to ", "german": " bis ", "french": " à ", "spanish": " a ", "italian": " a ", "portuguese": " a ", "dutch":
    " tot ", "polish": " do ", "russian": "–", "chinese": "–", "japanese": "–", "czech": " až ",
}  # fmt: skip
"""What stands between the ends of a range, by babel's name of the language."""
LIST_WORDS = {
    "": " and ", "german": " und ", "french": " et ", "spanish": " y ", "italian": " e ", "portuguese": " e ",
    "dutch": " en ", "polish": " i ", "russian": " и ", "chinese": "和", "japanese": "、", "czech": " a ",
}  # fmt: skip
"""What stands before the last of several numbers."""
QUOTES = split_names(
    "enquote textquote blockquote textcquote blockcquote foreignquote foreigntextquote foreignblockquote hyphenquote "
    "hyphentextquote foreigntextcquote foreignblockcquote say uv"
)
"""Commands that set their argument in quotes."""
QUOTATION_MARKS = {
    "": ("“", "”"), "german": ("„", "“"), "ngerman": ("„", "“"), "french": ("« ", " »"), "russian": ("«", "»"),
    "spanish": ("«", "»"), "italian": ("«", "»"), "polish": ("„", "”"), "dutch": ("‘", "’"), "czech": ("„", "“"),
    "chinese": ("“", "”"), "japanese": ("「", "」"), "ukrainian": ("«", "»"), "portuguese": ("«", "»"), "greek": ("«",
    "»"),
}  # fmt: skip
FIRST_ARGUMENT_DROPPED = {
    **dict.fromkeys(
        split_names(
            "colorbox foreignlanguage href hyperlink hypertarget parbox raisebox rotatebox scalebox textcolor "
            "textlang"
        ),
        1,
    ),
    **dict.fromkeys(
        split_names("sepnum"),
        3,
    ),
    **dict.fromkeys(
        split_names("adjustbox fcolorbox multicolumn multirow resizebox"),
        2,
    ),
}
"""Commands of whose arguments the first ones are dropped and the last one is kept."""
KEPT_OPTION_DROPPED = split_names(
    "caption footnote footnotetext framebox item linebreak makebox makecell nolinebreak nopagebreak pagebreak parbox "
    "shortstack thanks thead title"
)
NOTES = split_names(
    "LTRfootnote RLfootnote endnote endnotetext footnote footnotetext sidenote sidenotetext tablefootnote"
)
"""Commands whose argument is a note outside the line."""
TABLE_NOTES = {"tablecomments": 0, "tablerefs": 0, "tablenotetext": 1}
"""Notes below a table of the AAS, and how many arguments stand before their text."""
ALIGNMENT = "{halign"
"""The name of the group that holds the rows of plain TeX's `\\halign`."""
TABLE_HEAD = "{head"
"""The name of the group that holds the first rows of such a table."""
SWITCHES_OF_FONTS = split_names(
    "bf bfseries centering em frenchspacing footnotesize it itshape large Large newline noindent normalfont normalsize "
    "par protect quad raggedright relax rm rmfamily sc scriptsize scshape selectfont sf sffamily sl small tiny tt "
    "ttfamily"
)
"""Commands without arguments: a bracket behind them is text."""
UNKNOWN_VALUES = split_names("DTMnow DTMtoday currenttime jobname thepage today")
"""Commands that print what is not in the source."""
DIAGONALS = split_names("backslashbox diagbox slashbox")
LINE_FILLERS = split_names("break dotfill hfil hfill hfilneg hrulefill hss linebreak newline")
"""Commands that part what stands before them from what follows."""
SPACES = split_names("hglue hskip hspace hspace* kern")
"""Commands that set a space, or take one back."""
BOXES = split_names("hbox vbox vtop vcenter")
FRACTIONS = split_names("cfrac dfrac frac nicefrac sfrac tfrac textfrac")
READINGS = split_names("furigana jruby kana kanjiruby ruby xpinyin")
"""Commands that set the reading, their last argument, above the characters, their first."""
SKIPPED_ENVIRONMENTS = split_names(
    "AMS AuthorAbbr CCSXML IEEEbiography IEEEbiographynophoto IEEEkeywords MSCcodes Refs affiliations "
    "algorithm2e algorithmic asy authors axis bibdiv biblist chart dependency filecontents fmffile "
    "fmfgraph forest gnuplot keyword keywords lrbox mfpic overpic pgfpicture picture psfrags psmatrix "
    "pspicture pspicture* references textblock thebibliography theindex thereferences tikzcd tikzpicture "
    "xy"
)
FLOATS = split_names(
    "SCfigure listing algorithm algorithm* chart* code figure figure* floatingfigure longfigure plate program "
    "psfigure scheme sidewaysfigure sidewaysfigure* subfigure teaserfigure wrapfigure wrapfigure*"
)
"""Environments of which the captions are kept."""
CAPTIONS = split_names("caption subcaption captionof subcaptionbox")
PARTS_OF_FLOATS = split_names("subfigure subfloat subtable subbottom")
"""Commands whose option is the caption of a part of a figure."""
ALGORITHMS = ("algorithm", "program")
"""Beginnings of the names of floats of which nothing else is kept."""
TABULARS = split_names(
    "NiceTabular NiceTabular* NiceTabularX deluxetable deluxetable* longtable longtabu longtblr mpsupertabular "
    "mpxtabular supertabular supertabular* tabu tabular tabular* tabularx tabulary talltblr tblr xltabular xtabular"
)
VERSES = split_names("altverse patverse quotation quote verse")
"""Environments whose lines are lines."""
INLINE_ENVIRONMENTS = split_names("CJK CJK* otherlanguage*")
"""Environments that stand in a sentence and begin no paragraph."""
TABBED = "tabbing"
OPTIONED = split_names(
    "asparaenum compactenum compactitem description enumerate inparaenum inparaitem itemize list figure table minipage"
    " tcolorbox mdframed multicols center document algorithm frame tabbing array CJK CJK* tasks longtable landscape"
)
"""Environments whose options are settings, no titles."""
LISTS = split_names(
    "asparaenum compactenum compactitem description enumerate inparaenum inparaitem itemize list roster "
    "trivlist"
)
NUMBERED = split_names("asparaenum compactenum enumerate inparaenum")
ENVIRONMENT_ARGUMENTS = {
    "tabular": 1, "tabular*": 2, "tabularx": 2, "tabulary": 2, "longtable": 1, "supertabular": 1,
    "xtabular": 1, "tblr": 1, "tabu": 1, "longtabu": 1, "deluxetable": 1, "deluxetable*": 1, "minipage": 1,
    "multicols": 1, "wrapfigure": 2, "wraptable": 2, "list": 2, "CJK": 2, "CJK*": 2, "adjustwidth": 2,
    "spacing": 1, "textblock": 1, "floatingfigure": 1, "adjustbox": 1, "subfigure": 1, "subtable": 1,
    "otherlanguage": 1, "otherlanguage*": 1, "mdframed": 0, "tcolorbox": 0, "changemargin": 2, "narrow": 2,
    "paracol": 1, "column": 1, "algorithm": 0, "proofof": 0, "NiceTabular": 1, "NiceTabular*": 2, "NiceTabularX": 2,
    "labeling": 1,
    "longtblr": 1, "talltblr": 1, "mpsupertabular": 1, "mpxtabular": 1, "supertabular*": 2, "xltabular": 2,
}  # fmt: skip
"""Arguments in braces behind `\\begin{...}` that are not text."""
THEOREMS = {
    "theorem": "Theorem", "thm": "Theorem", "lemma": "Lemma", "lem": "Lemma", "proposition": "Proposition",
    "prop": "Proposition", "corollary": "Corollary", "cor": "Corollary", "definition": "Definition",
    "defn": "Definition", "remark": "Remark", "rem": "Remark", "example": "Example",
    "conjecture": "Conjecture", "claim": "Claim", "proof": "Proof", "exercise": "Exercise", "fact": "Fact",
    "question": "Question", "problem": "Problem", "solution": "Solution",
    "acknowledgement": "Acknowledgement", "note": "Note", "pf": "Proof", "proof*": "Proof", "demo": "",
    "IEEEproof": "Proof", "prf": "Proof", "proclaim": "", "remarks": "Remarks", "examples": "Examples",
    "claim*": "Claim",
}  # fmt: skip
"""Environments that print a name, where the paper does not define them itself."""
PARAGRAPHS = split_names(
    "IEEEpeerreviewmaketitle appendix backmatter beginsection bigbreak bigskip block centerline "
    "cleardoublepage clearpage demo document eject endabstract endblock enddefinition enddemo enddocument "
    "endexample endhead endheading endproclaim endproof endremark endroster endsubhead endsubheading "
    "endsubsubhead endtitle endtopmatter filbreak frontmatter goodbreak indent leftline listoffigures "
    "listoftables mainmatter maketitle medbreak medskip newpage onecolumn pagebreak par proclaim qed "
    "rightline sectioning smallbreak smallskip supereject tableofcontents titlepage topmatter twocolumn "
    "vfil vfill vglue vskip"
)
"""Commands with which a new paragraph begins."""
PLAIN_DROPPED = {
    name: f"\\end{name}"
    for name in split_names(
        "Refs address affil author curraddr date dedicatory email keywords subjclass thanks translator "
        "urladdr"
    )
}
"""AMS-TeX's commands without braces, and what ends them; what they hold is dropped."""
ENDS = split_names("bye end enddocument endinput")
TITLED = {"frame": 2, "block": 1, "alertblock": 1, "exampleblock": 1}
"""Environments of slides, and how many groups behind their beginning are titles."""
OVERLAID = split_names(
    "action alert alt begin end invisible item only onslide pause uncover visible emph textbf textit color frametitle "
    "includegraphics structure"
)
"""Commands behind which beamer takes the numbers of slides: `<2->`."""
LONGTABLE_PARTS = split_names("endfirsthead endhead endfoot endlastfoot")
ROW_ENDS = split_names("cr crcr tabularnewline")
RULES = {
    "hline": 0, "toprule": 0, "midrule": 0, "bottomrule": 0, "addlinespace": 0, "hdashline": 0, "cline": 1,
    "cmidrule": 1, "cdashline": 1, "specialrule": 3, "hhline": 1, "arrayrulecolor": 1, "rowcolor": 1, "cellcolor": 1, 
    "columncolor": 1, "rowcolors": 3, "morecmidrules": 0,
}  # fmt: skip
"""Commands of tables that draw, with so many arguments."""
LENGTHS = split_names(
    "abovecaptionskip abovedisplayskip advance arrayrulewidth baselineskip belowcaptionskip "
    "belowdisplayskip bigskipamount columnsep doublerulesep evensidemargin fboxsep floatsep footnotesep "
    "footskip hangindent headheight headsep hglue hoffset hsize hskip intextsep itemsep jot kern "
    "labelsep labelwidth leftmargin leftskip lineskip linewidth lower marginparsep marginparwidth "
    "mathsurround medskipamount mkern moveleft moveright mskip normalbaselineskip oddsidemargin "
    "overfullrule parfillskip parindent parsep parskip partopsep raise rightskip smallskipamount "
    "spaceskip tabcolsep tabskip textfloatsep textheight textwidth topmargin topsep topskip unitlength vglue "
    "voffset vsize vskip xspaceskip"
)
"""Commands of TeX and LaTeX behind which a length may stand."""
COUNTS = split_names(
    "magstep accent clubpenalty exhyphenpenalty hangafter hbadness hyphenpenalty interlinepenalty looseness "
    "mag magnification pageno penalty pretolerance tolerance vbadness widowpenalty"
)
"""Those behind which a number stands."""

SYMBOLS = {
    "ss": "ß", "o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "ng": "ŋ",
    "NG": "Ŋ", "ohorn": "ơ", "OHORN": "Ơ", "uhorn": "ư", "UHORN": "Ư",
    "ier": "er", "iere": "re", "iers": "ers", "ieres": "res", "nodata": "…", "ieme": "e", "iemes": "es",
    "degre": "°", "degres": "°",
    "dj": "đ", "DJ": "Đ", "SS": "ẞ", "S": "§", "P": "¶", "copyright": "©", "dag": "†",
    "ddag": "‡", "pounds": "£", "euro": "€", "EUR": "€", "texteuro": "€", "ldots": "…", "dots": "…",
    "textellipsis": "…", "dotsc": "…", "dotsb": "…", "cdots": "⋯", "textendash": "–", "textemdash": "—",
    "textquoteleft": "‘", "textquoteright": "’", "textquotedblleft": "“", "textquotedblright": "”",
    "textquotesingle": "'", "textquotedbl": '"', "textbackslash": "\x10", "textasciitilde": "\x11",
    "textasciicircum": "^", "textbar": "|", "textless": "<", "textgreater": ">", "textdegree": "°",
    "textregistered": "®", "texttrademark": "™", "textunderscore": "_", "textbraceleft": "\x12",
    "textbraceright": "\x13", "textdollar": "$", "textsterling": "£", "textsection": "§",
    "textparagraph": "¶", "textbullet": "•", "bullet": "•", "textperiodcentered": "·", "cdot": "·",
    "textmu": "µ", "textohm": "Ω", "texttimes": "×", "times": "×", "pm": "±", "textpm": "±", "lq": "‘",
    "rq": "’", "guillemotleft": "«", "guillemotright": "»", "guillemetleft": "«", "guillemetright": "»",
    "og": "«", "fg": "»", "glqq": "„", "grqq": "“", "glq": "‚", "grq": "‘", "flqq": "«", "frqq": "»",
    "quotedblbase": "„", "quotesinglbase": "‚", "TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2ε",
    "BibTeX": "BibTeX", "AmS": "AMS", "AmSTeX": "AMS-TeX", "quad": " ", "qquad": " ", "enspace": " ",
    "thinspace": " ", "enskip": " ", "space": " ", "nobreakspace": " ", "slash": "/", "checkmark": "✓",
    "degree": "°", "celsius": "°C", "micro": "µ", "textonehalf": "½", "textonequarter": "¼",
    "textnumero": "№", "No": "№", "backslash": "\x10", "lbrack": "[", "rbrack": "]", "lbrace": "\x12",
    "rbrace": "\x13", "textvisiblespace": "␣", "textcelsius": "°C", "textdaggerdbl": "‡", "textdagger": "†",
    "star": "★", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "rightarrow": "→", "to": "→",
    "leftarrow": "←", "circ": "°", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "mu": "μ",
    "sigma": "σ", "lambda": "λ", "pi": "π", "infty": "∞", "ptc": "", "relax": "", "and": ", ",
}  # fmt: skip
"""Commands that print a character."""
SYMBOLS |= {
    "guilsinglleft": "‹", "guilsinglright": "›", "flq": "‹", "frq": "›", "textperthousand": "‰", "permil": "‰",
    "textpertenthousand": "‱", "textcent": "¢", "textyen": "¥", "textcurrency": "¤", "textwon": "₩", "textbaht": "฿",
    "textdong": "₫", "textnaira": "₦", "textpeso": "₱", "textlira": "₤", "textflorin": "ƒ", "textcopyright": "©",
    "textordfeminine": "ª", "textordmasculine": "º", "textonesuperior": "¹", "texttwosuperior": "²",
    "textthreesuperior": "³", "textthreequarters": "¾", "textdiv": "÷", "textminus": "−", "textleftarrow": "←",
    "textrightarrow": "→",
    "textuparrow": "↑", "textdownarrow": "↓", "textlnot": "¬", "textsurd": "√", "textbrokenbar": "¦", "textbardbl": "‖",
    "textasteriskcentered": "∗", "textopenbullet": "◦", "textbigcircle": "◯", "textlangle": "⟨", "textrangle": "⟩",
    "textexclamdown": "¡", "textquestiondown": "¿", "textinterrobang": "‽", "textreferencemark": "※",
    "textestimated": "℮", "textmho": "℧", "textrecipe": "℞", "textservicemark": "℠", "textmusicalnote": "♪",
    "textmarried": "⚭", "textborn": "*", "textdied": "†", "textfractionsolidus": "⁄",
    "textlbrackdbl": "⟦", "textrbrackdbl": "⟧",
    "textasciimacron": "¯", "textasciiacute": "´", "textasciigrave": "\x18", "textasciidieresis": "¨",
}  # fmt: skip
"""Those of textcomp."""
SYMBOLS |= {
    "textalpha": "α", "textbeta": "β", "textgamma": "γ", "textdelta": "δ", "textepsilon": "ε", "textzeta": "ζ",
    "texteta": "η", "texttheta": "θ", "textiota": "ι", "textkappa": "κ", "textlambda": "λ", "textnu": "ν",
    "textxi": "ξ", "textomicron": "ο", "textpi": "π", "textrho": "ρ", "textsigma": "σ", "texttau": "τ",
    "textupsilon": "υ", "textphi": "φ", "textchi": "χ", "textpsi": "ψ", "textomega": "ω", "textGamma": "Γ",
    "textDelta": "Δ", "textTheta": "Θ", "textLambda": "Λ", "textXi": "Ξ", "textPi": "Π", "textSigma": "Σ",
    "textUpsilon": "Υ", "textPhi": "Φ", "textPsi": "Ψ", "textOmega": "Ω",
}  # fmt: skip
"""Those of textgreek."""
LITERALS = {
    "%": "%", "$": "\x1a", "&": "&", "#": "#", "_": "_", "{": "\x12", "}": "\x13", " ": " ", "\n": " ", "\t": " ",
    ",": " ", ";": " ", ":": " ", ">": " ", "!": "", "-": "", "/": "", "@": "", "*": "", "+": "", "|": "", "<": "",
    "(": "", ")": "", "[": "", "]": "",
}  # fmt: skip
"""Commands of one sign. What `HELD_CHARACTERS` holds stands for characters that mean something until the end."""
HELD_CHARACTERS = {
    "\x1a": "$", "\x10": "\\", "\x11": "~", "\x12": "{", "\x13": "}", "\x14": "-", "\x15": "<", "\x16": ">",
    "\x17": "'", "\x18": "`",
}  # fmt: skip
HELD_LETTERS = {
    letter: held for held, letter in HELD_CHARACTERS.items() if held not in "\x14\x15\x16\x17\x18"
}
LITERAL_TYPE = str.maketrans("-<>'`", "\x14\x15\x16\x17\x18")
"""What a typewriter font prints as it is, where other fonts make dashes and quotes of two."""
_DINGBATS = {
    37: "☎", 42: "☛", 43: "☞", 72: "★", 108: "●", 110: "■", 115: "▲", 116: "▼", 117: "◆", 119: "◗", 168: "♣", 169: "♦",
    170: "♥", 171: "♠", 213: "→", 214: "↔", 215: "↕",
}  # fmt: skip


def find_dingbat(number: int) -> str:
    """Return the character that pifont's `\\ding` prints, by its number in Zapf Dingbats; empty if there is none."""
    if number in _DINGBATS:
        return _DINGBATS[number]
    first = next(
        (
            start - low
            for low, high, start in (
                (33, 126, 0x2701),
                (161, 167, 0x2761),
                (172, 181, 0x2460),
                (182, 212, 0x2776),
                (216, 254, 0x2798),
            )
            if low <= number <= high
        ),
        None,
    )
    return chr(first + number) if first is not None and number != 240 else ""


ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "H": "\u030b", "u": "\u0306", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331", "t": "\u0361", "textcommabelow": "\u0326", "cprime": "", "U": "\u030e", "C": "\u030f", "h": "\u0309",
}  # fmt: skip
"""Command -> the combining character of its accent."""

PROTECTED = (
    HEADINGS
    | TITLES
    | CITES
    | STANDARD_REFS
    | split_names(
        "abstract appendix arraystretch author baselinestretch begin bibliography caption centerline "
        "documentclass emph end figurename footnote include includegraphics input item label labelenumi "
        "maketitle newcommand par refname tablename textbf textit theenumi theequation thefigure thefootnote "
        "thesection thetable"
    )
)
"""Commands whose redefinition in a paper changes how it looks, not what it says."""
BIBLIOGRAPHY = split_names(
    "bibliographie bibliography citations literatur literature reference references referencias "
    "referências riferimenti литература المراجع संदर्भ เอกสารอ้างอิง 参考文献 參考文獻 참고문헌"
)
"""Titles of sections that are lists of references."""
