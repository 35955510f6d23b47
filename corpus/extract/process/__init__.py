"""Run the extractors in a process of its own, within the budgets of each document.

The files, in the order in which data meets them:

    supervised.py    this side: sends records, replaces parsers that die, names why a record failed
    budgets.py       what one document may cost, checked before it is parsed
    worker.py        the other side: the process that parses
"""
