"""corpus/web"""
