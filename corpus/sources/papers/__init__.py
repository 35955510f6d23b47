"""corpus/sources/papers"""
