"""Extract the text of biomedical papers: full articles in JATS, abstracts in MEDLINE.

The files, in the order in which data meets them:

    jats.py          an article with its licence, date and identifiers
    jats_body.py     its elements as blocks of text
    jats_lists.py    the marks of items in lists
    medline.py       a citation: title, abstract and what PubMed states about it
"""
