"""Exports for other tools: clean text as JSON Lines or Parquet, tokens as the flat files of nanoGPT.

The files:

    target.py        claim the output folder, and describe the finished export
    shard_plan.py    which documents go into which file
    file_writers.py  JSON Lines and Parquet that every reader takes for one table
    documents.py     kept documents as JSON Lines or Parquet
    build_facts.py   what the build did, out of its ledger
    hub_names.py     languages, licences and sizes as the Hugging Face hub calls them
    configurations.py  the parts of an export that can be loaded by name
    hub_card.py      the card of an export: README.md for the hub
    croissant.py     the same export as Croissant metadata
    signature_sets.py  ids, hashes and signatures of kept documents, without texts
    bin.py           token shards as train.bin and val.bin
"""
