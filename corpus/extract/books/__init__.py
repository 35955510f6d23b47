"""corpus/extract/books"""
