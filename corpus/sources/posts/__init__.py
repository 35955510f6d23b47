"""corpus/sources/posts"""
