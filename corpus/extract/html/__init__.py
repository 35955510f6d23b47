"""corpus/extract/html"""
