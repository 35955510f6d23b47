"""Convert papers in LaTeX, plain TeX and AMS-TeX to text.

In the order in which a paper meets them:

    paper.py         the whole conversion                 submission.py    the TeX files of an arXiv submission
    source.py        one text of all files, no comments   babel.py         the paper's language, its shorthands
    macros.py        the paper's own macros, expanded     numbers.py       numbers of all that labels mean
    conditions.py    conditions the paper decides itself  label_counters.py  counters, and how they are printed
    comparisons.py   conditions that compare              references.py    references, in the paper's language
    glossaries.py    acronyms and glossary entries        siunitx.py       numbers, units, ranges
    math.py          formulas, put aside                  body.py          commands and environments, one pass
    commands.py      what the commands mean               marks.py         marks and token patterns
    lists.py         numbers of list items            layout.py        paragraphs, lists, notes
"""
