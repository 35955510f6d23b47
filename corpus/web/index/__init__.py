"""Look up captures: where in which archive a page is, as crawl indexes list it.

The files, in the order in which data meets them:

    lookup.py    the chosen capture of each page, from any number of indexes
    cdx.py       CDX, CDXJ and ZipNum clusters
    cdx_fields.py the fields of a line, in any order that tools have
    surt.py      the key by which they sort an address
    columnar.py  Common Crawl's columnar index
    capture.py   one capture, and the choice among several
    ranges.py    byte ranges, coalesced or cached in pages
"""
