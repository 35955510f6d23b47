"""Make lists of URLs: from submissions of links to one row a page.

The files, in the order in which data meets them:

    submissions.py  Reddit's submissions, NDJSON and CSV
    links.py        which submissions link to a page of text
    index_key.py    one key for all spellings of an address
    url_list.py     the list itself, and its hashes
    coverage.py     the outcome of every URL of a list in a build
"""
