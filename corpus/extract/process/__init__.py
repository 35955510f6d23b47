"""Run the extractors in a process of its own, within the budgets of each document.

The files, in the order in which data meets them:

    supervised.py    this side: sends records, replaces parsers that die or exceed their time
    calls.py         functions called there: plug-ins that measure or identify
    budgets.py       the limits of one document: bytes, tags, depth, memory, seconds
    worker.py        the other side: the process that parses, under its limits of memory and time
"""
