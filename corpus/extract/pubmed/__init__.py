"""corpus/extract/pubmed"""
