"""Read rows and lines: one document each.

The files, in the order in which data meets them:

    fields.py      field names of rows, mapped to those of a record
    row_dates.py   dates as rows write them
    lines.py       the lines of a file; what is damaged is named
    jsonl.py       JSON Lines
    csv_rows.py    CSV and TSV
    parquet.py     Parquet
    text_files.py  plain text by file, paragraph or line
"""
