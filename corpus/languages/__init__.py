"""Identify the language and the script of a text.

The files, in the order in which data meets them:

    scripts.py          letters of each script in a text
    chinese.py          simplified or traditional Chinese
    sinitic.py          standard, classical, Cantonese or Wu Chinese
    labels.py           language labels, and what models and sources call them
    fasttext_models.py  fastText models: loading, predicting, training
    letters.py          languages that no model knows, by their letters
    models.py           what lid.176 and CLD2 are given
    byte_ngrams.py      a third voter: naive Bayes over byte n-grams
    third_voter.py      its vote beside those of lid.176 and CLD2
    relatives.py        relatives, and languages that no model knows, by their words
    plugin_identifier.py  a class of the user's in place of the models
    identify.py         the label and score of a text
    paragraphs.py       the same of its paragraphs
    names.py            English names of labels
    word_lists.py       lists of words by language
"""
