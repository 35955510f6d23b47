"""Exports for other tools: clean text as JSON Lines or Parquet, tokens as the flat files of nanoGPT.

The files:

    target.py     check the output folder, and describe the finished export
    documents.py  kept documents as JSON Lines or Parquet
    bin.py        token shards as train.bin and val.bin
"""
