"""corpus/formats"""
