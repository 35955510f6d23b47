"""Train the weights of the extractor: `trainer` is the entry point.

In the order in which gold meets them:

    gold_pages.py    folders of pages with gold -> pages      block_labels.py   how much of each block is in the gold
    examples.py      features, tokens, labels, weights        network.py        the network, its gradient, its integers
    trainer.py       fit, cross-validate by site, write       scores.py         F1 of words, sequences, pieces
"""
