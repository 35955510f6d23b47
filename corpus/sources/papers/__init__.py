"""Read papers and citations.

The files, in the order in which data meets them:

    arxiv.py           TeX submissions, in bulk tars or one a file
    arxiv_licenses.py  the licences of papers, from arXiv's metadata snapshot
    pubmed.py          JATS articles and MEDLINE citations
"""
