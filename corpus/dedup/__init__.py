"""Deduplication of documents: by content, by canonical URL, and by the similarity of their words (MinHash).

In the order in which documents meet them:

    options.py     the manifest's `dedup`
    url_key.py     canonical URLs and their hashes
    shingles.py    hashed n-grams of a document
    xxh32.py       xxHash32 of all windows of an array
    minhash.py     signatures and band keys in numpy
    signatures.py  signature parts: write and read
    sketches.py    samples of shingles, for documents inside longer ones
    canaries.py    pairs of known likeness, made from documents
    planted.py     such pairs in a build
    signature_set.py  sets of signatures that travel, as datasketch's LeanMinHash
    rows.py        the columns that are compared
    exact.py       the same content, the same URL
    pairs.py       candidate pairs from shared bands
    spilled.py     records on disk
    clusters.py    components; which document is kept
    components.py  components of more links than fit in memory
    walk.py        the same for more documents than fit in memory
    repeated_lines.py  lines and paragraphs that many documents have
    anchors.py     places that every copy of a span has
    repeated_spans.py  spans that earlier text has
    removed.py     clusters.parquet: write and read
"""
