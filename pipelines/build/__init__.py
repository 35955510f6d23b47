"""Build a workspace from a manifest, and decide, rebuild or forecast one.

The files, in the order in which a build uses them:

    build.py      a build from its manifest
    sequence.py   all stages in order
    plan.py       manifest to input splits, tools and rules, all checked
    plan_files.py what a workspace keeps of a plan: fingerprint, plan.json, manifest.yaml
    probe.py      first look at the input: what cannot be read, fields that no row has
    dry_run.py    forecast of a build from its first documents
    retry.py      quarantined and unread records, tried again
    changes.py    resumed build: which stages are done again, and what is said of it
    file_changes.py  files that are new, changed or gone in the input splits that they share
    run.py        a build in progress: its state and pipelines
    stop.py       exit on a signal without leaving workers
    stages.py     the stages and the pipelines they run
    shares.py     share of each language that is held out for validation
    slice.py      a fixed share of the input splits, by its name
    slices.py     the parts of a slice, made beside others
    separate_ids.py ids of documents whose record's id others have, too
    redecide.py   other rules on a finished workspace
    scratch.py    other rules in a workspace of their own, beside the documents of a finished one
    rebuild.py    splits of a finished workspace built again and compared
"""
