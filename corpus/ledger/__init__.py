"""The ledger: counts of what every stage and rule did, made for each part and merged.

In the order in which data meets them:

    quarantine.py  parts of records that could not be read
    reasons.py     reasons of failures, without what differs from record to record
    counts.py      counts of one input split
    bins.py        the fixed bins of all histograms
    sums.py        sums by key, in bounded memory
    shared_ids.py  documents whose id others would have, too
    stages.py      input and output of each stage
    tables.py      merge parts, write and read DIR/stats
    views.py       the tables as short lists for people
    losses.py      sources of which nothing is kept, dates that could not be read
    alarms.py      conspicuous numbers, with advice
    duplicate_alarms.py  those about duplicates
"""
