"""corpus/extract/posts"""
