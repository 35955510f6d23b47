"""Suffix arrays over token shards: every place of any text, its documents, and the training steps that read them.

The files, from arrays to places:

    suffix_arrays.py  sorts the suffixes of an array of tokens
    token_index.py    DIR/suffixes: the tokens of a workspace's shards with their suffixes, in ranges
    occurrences.py    finds a text: its places, documents and steps
"""
