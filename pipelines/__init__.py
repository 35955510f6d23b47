"""Run the stages of a build on Apache Beam, and the command line.

The files, in the order in which data meets them:

    cli/              the commands
    beam/             how pipelines run: options, workers, packed arrays
    url_lists/        lists of URLs from submissions, before a build
    build/            a build: plan, stages, changes, retries
    decontaminate.py  items of evaluation sets in a build
    item_scan.py      candidates, and how common what items consist of is
    item_hits.py      hits, signals and edits
    context.py        sources, filters, rules and models of a process
    ingest.py         input splits to documents and signals
    measure.py        signals of pages, many at once
    split_plan.py     what searches over all splits share
    stored_search.py  searches in stored texts: edits and signals beside them
    clean.py          lines that are no part of a text, in stored texts
    redact.py         private data in stored texts
    dedup.py          the pipeline that finds duplicates
    dedup_steps.py    the steps of that pipeline
    canary_steps.py   those that plant pairs of known likeness
    containment_steps.py  those that find documents inside longer ones
    against.py        parts of earlier builds in it
    repeats.py        the pipeline that finds repeated text
    repeat_steps.py   the steps of that pipeline
    decide.py         signals and duplicates to decisions
    tokenize.py       kept documents to token shards
    transforms/       the same steps as transforms, for pipelines of your own
"""
