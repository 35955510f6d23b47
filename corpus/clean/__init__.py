"""Find lines that are no part of a text: listed boilerplate, and what the line rules of known recipes drop.

The files, from the whole to its parts:

    options.py      the rules by preset and class, and the key `clean` of a manifest
    clean_spans.py  one search by several of them, for a batch of texts
    line_rules.py   the line rules of C4, RefinedWeb and MADLAD-400, and what they spare
    boilerplate.py  whole lines that a language's list names
    boilerplate_lists.py  the lists in manifests/boilerplate/, compiled
    boilerplate_words.py  lines that are made of the words of interfaces
"""
