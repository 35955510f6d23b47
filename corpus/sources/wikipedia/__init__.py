"""corpus/sources/wikipedia"""
