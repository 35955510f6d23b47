"""Fetch the pages of a list politely, safely and once.

The files, in the order in which data meets them:

    options.py        every limit of a crawl, with its reason
    frontier.py       the URLs of a list by host, on disk
    crawl.py          many hosts concurrently, one page of a host at a time
    robots.py         what a robots.txt allows
    address_guard.py  which addresses may be connected to
    exchange.py       one HTTP request and its answer
    warc_writer.py    request and answer as WARC records
    outcomes.py       the journal and the ledger: the outcome of every URL
"""
