"""Exports for other tools: clean text as JSON Lines or Parquet, tokens as the flat files of nanoGPT.

The files:

    target.py        claim the output folder, and describe the finished export
    shard_plan.py    which documents go into which file
    file_writers.py  JSON Lines and Parquet that every reader takes for one table
    documents.py     kept documents as JSON Lines or Parquet
    build_facts.py   what the build did, out of its ledger
    bin.py           token shards as train.bin and val.bin
"""
