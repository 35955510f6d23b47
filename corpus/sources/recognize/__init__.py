"""Tell what files are by looking at them, for people who begin: `corpus init`.

file_verdicts.py  what is said of a file: a source kind with options, or why it is not read
file_kinds.py     one file, by its first bytes, its content and its name
code_verdict.py   source code, with or without a licence beside it
archive_kinds.py  zip, tar and 7z archives, by what they hold
field_names.py    names that people give fields, in many languages
row_fields.py     the fields of JSON Lines and Parquet: which is the text, the address, the date
cut_files.py      compressed files that end too early
gathering.py      every file below folders; folders of source code as one input
patterns.py       globs that name some files and no others
"""

from corpus.sources.recognize.cut_files import find_cut_files
from corpus.sources.recognize.file_kinds import recognize_file
from corpus.sources.recognize.file_verdicts import (
    Recognized,
    Unread,
    Verdict,
    describe_filled,
    merge_verdicts,
)
from corpus.sources.recognize.gathering import Gathering, gather_files
from corpus.sources.recognize.patterns import make_patterns

__all__ = [
    "Gathering",
    "Recognized",
    "Unread",
    "Verdict",
    "describe_filled",
    "find_cut_files",
    "gather_files",
    "make_patterns",
    "merge_verdicts",
    "recognize_file",
]
