"""Edits: what may be cut from a text, or masked in it, as spans on record beside the documents.

A step that finds such spans writes a part for each input split below DIR/edits/STEP, and a table of counts when all
parts are there. Stored texts never change: they are put together when they are read.

    applied.py   which edits are applied where texts are read
    steps.py     the names of the steps that find edits
    regions.py   overlapping edits as one region; a text with its edits applied
    parts.py     parts: write and read
    edit_counts.py  documents, spans and characters by kind, source and language
"""
