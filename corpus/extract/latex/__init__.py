"""corpus/extract/latex"""
