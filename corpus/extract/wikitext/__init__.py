"""corpus/extract/wikitext"""
