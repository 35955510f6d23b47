"""corpus/extract/process"""
