"""Read pages from web archives.

The files, in the order in which data meets them:

    resync.py   the next record behind damage
    members.py  gzip members, zstd and lz4 frames of an archive
    arc.py      ARC files
    warc.py     WARC files: pages as records
    news.py     articles of news sites
    urls.py     the pages of a list of URLs
"""
