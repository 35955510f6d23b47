"""Read the pages of MediaWiki dumps.

The files, in the order in which data meets them:

    mediawiki_chunks.py  a dump's bytes from any place, decompressed
    mediawiki.py         `<page>` elements, cut out of those bytes
    wiki_dump.py         pages as records
"""
