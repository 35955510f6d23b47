"""corpus/sources/tables"""
