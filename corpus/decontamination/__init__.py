"""Decontamination: items of evaluation sets in documents, with the evidence for each.

The files, in the order in which items and documents pass through them:

    options.py          the manifest's options: sets, actions, what is cleared
    item_layouts.py     rows of evaluation sets as items: question, options, answer, passage
    evaluation_sets.py  files and folders of items
    folded_tokens.py    texts as words and characters, folded; hashes of 6 successive ones
    item_hashes.py      what of an item is looked for: grams, and pairs of tokens
    item_index.py       the index of all items: built once, memory-mapped; which cannot be looked for, and why
    scanning.py         what documents share with the index, and how common that is
    comparing.py        places of items in documents, and what of each item stands there
    judging.py          weights from the corpus, scores, and which candidates are hits
    hits.py             the tables of a workspace: hits, items, sets
    finder.py           items of a workspace's sets in any texts
"""
