"""Pages of our own with code, tables and formulas, in the markup of twenty generators, with their gold.

topics.py   ten topics in ten languages      pages.py   generators' markup -> pages with gold, and their score
"""
