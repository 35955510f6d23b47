"""Read pages from web archives, lists of URLs and HTML files.

The files, in the order in which data meets them:

    warc.py         WARC files: a response page -> a record; goes on behind damage
    wacz.py         the archives inside a WACZ
    members.py      their gzip members, zstd and lz4 frames; mends a damaged one
    raw_records.py  records whose heads FastWARC does not take: other line ends, drafts of the format
    arc.py          ARC files, the format before WARC
    record_scan.py  where the next record begins behind damaged bytes (warc.py's helper)
    news.py         articles of news sites
    urls.py         the pages of a list of URLs
    html_files.py   HTML pages on disk, in folders and archives
    page_address.py their addresses, by what they state
"""
