"""corpus/classifier"""
