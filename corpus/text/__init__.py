"""Tokenize a document once, for every filter.

The files, in the order in which data meets them:

    units.py        UTF-16 code units and their classes
    hashes.py       64-bit hashes of spans
    word_rules.py   words by rules in arrays, where no dictionary is needed
    words.py        words and sentences by ICU
    folding.py      what the same text may be written with, as one
    tokens.py       words and marks as rule-based tokenizers cut them
    ngrams.py       repeated items and n-grams
    conventions.py  punctuation, stop words and phrases of a language
    page.py         one document, and everything counted in it
    batch.py        pages of one language, counted at once
"""
