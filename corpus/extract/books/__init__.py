"""Extract the text of books: Project Gutenberg's plain text and EPUB.

gutenberg.py     header, licence and notes removed, lines joined
epub.py          the documents of an EPUB in reading order
xhtml.py         one document of an EPUB as text
"""
