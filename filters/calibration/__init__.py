"""Derive the values of a language from texts in it, and see what rules cost each language.

The files, in the order in which texts meet them:

    calibration_texts.py  good texts and raw ones: read, drawn, and checked for their language
    people_labels.py      texts that people have called good or bad
    measured_texts.py     every signal of every text
    signal_cuts.py        a bound from both sides' values, with its interval
    written_language.py   stop words, the length of words, what ends a sentence
    language_values.py    all of these for one language
    calibrated_file.py    the file of manifests/languages/
    distributions.py      both sides' values with the cut, as text and as a picture
    parallel_texts.py     one text in many languages, in passages
    fairness.py           what rules lose of it in each language
    judged.py             what rules say of texts that people have judged
"""
