"""Extract the text of books: Project Gutenberg's plain text and EPUB.

The files, in the order in which data meets them:

    gutenberg.py     header, licence and notes removed, lines joined
    epub.py          the documents of an EPUB in reading order
    xhtml.py         one document of an EPUB as text
    verse.py         lines of verse in it
"""
