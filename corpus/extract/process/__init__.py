"""Run the extractors in a process of its own, within the budgets of each document.

supervised.py    this side: sends records, receives answers, replaces parsers that die
budgets.py       what one document may cost, checked before it is parsed
worker.py        the other side: the process that parses
"""
