"""corpus/inspect"""
