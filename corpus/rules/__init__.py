"""corpus/rules"""
