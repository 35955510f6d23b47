"""Read pages from web archives.

The files, in the order in which data meets them:

    resync.py   byte scan for the next record, used by members.py and arc.py
    members.py  gzip members, zstd and lz4 frames; mends a damaged record
    arc.py      ARC files
    warc.py     WARC files: pages as records, also behind and inside damage
    news.py     articles of news sites
    urls.py     the pages of a list of URLs
"""
