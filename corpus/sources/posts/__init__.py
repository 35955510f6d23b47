"""Read threads of posts from the dumps of web sites.

The files, in the order in which data meets them:

    reddit_comments.py  Reddit comments, collected into threads
    dump_rows.py        the `<row>` elements of a Stack Exchange dump
    stackexchange.py    questions with their answers and comments
"""
