"""Checks that a finished workspace is complete and consistent, without reading its input.

The files, from the whole to its pieces:

    workspace.py  all checks, over every input split and shard
    parts.py      documents, decisions and signals of one input split
    beside.py     its signatures and edits
    shards.py     one token shard against dataset.json
    text.py       tokens back to bytes of text
    join.py       match documents and shard rows by id, in bounded memory
    findings.py   the list of checks, and their results
"""
