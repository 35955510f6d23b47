"""Collect pages of the web by a list of URLs.

The files, in the order in which data meets them:

    url_lists/  from submissions of links to a list with one row a page
    index/      where in which archive a page is captured
    fetch/      pages fetched from their sites

    block_lists/  addresses that are not read at all
"""
