"""Convert the wikitext of MediaWiki pages to text.

In the order in which a page meets them:

    wiki_page.py     the whole conversion                 names.py         names of namespaces, per language
    templates.py     templates that carry text            variants.py      Chinese and other script variants
    template_arguments.py  a call's arguments             wiki_lines.py    sections, lists, paragraphs
    template_calls.py      calls that patterns cannot express     countries.py   names of countries by codes
"""
