"""corpus/sources/web"""
