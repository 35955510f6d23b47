"""Views of a workspace and of a training run for people: samples, the report, curves.

The files, by what they show:

    samples.py      draw documents, find them by id
    known.py        check names, suggest the nearest
    page_engines.py  what read the pages of a source, where documents do not say it
    verdicts.py     why a document was kept or dropped
    evidence.py     evaluation items beside the documents that hold them
    differences.py  two texts side by side
    sample_page.py  samples as an HTML page
    cuts.py         documents near each rule's bound
    report_data.py  the ledger as compact JSON
    edits_section.py  what was marked in texts
    report.py       the report, one HTML page
    curve_data.py   curves from a run's log
    curves.py       curves as HTML page or PNG
    readable.py     numbers and names for a terminal
    signals_page.py  the page of all signals, docs/signals.md
    notebook.py     a workspace and its datasets as small tables
    html_text.py    untrusted text made safe for HTML
"""
