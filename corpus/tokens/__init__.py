"""From kept documents to token shards: vocabulary, encoding, shards and the mixture that draws from them.

In the order in which documents meet them:

    options.py     the manifest's `tokenizer`, `mixture` and `tokens`
    rows.py        the kept documents of an input split, one row group at a time
    sample.py      which documents the tokenizer learns from
    pieces.py      texts cut into pieces by arrays
    merges.py      merges of byte-level BPE from counted pieces
    vocabulary.py  count pieces, train byte-level BPE
    encode.py      text to tokens with tiktoken or tokenizers
    parts.py       token parts: the documents of one input split as tokens
    shards.py      plan shards from the parts' indexes, and write them
    mixture.py     weights, epochs and temperature as one table
    dataset.py     the contents of tokens/dataset.json
"""
