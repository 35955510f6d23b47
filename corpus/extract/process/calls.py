"""Call functions on texts in the process that parses: plug-ins run there, so one that hangs costs a document only.

A call is a record whose id is JSON: the function (`module:function`) and its arguments. The function receives the
record after them, its body the text, and returns what JSON can hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from corpus import data, plugins
from corpus.document import Record
from corpus.errors import UserError
from corpus.extract import load_entry_point
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.supervised import JobValues, Parser, RejectedRecord, borrow_parser
from corpus.formats.yaml_lines import KeyPath

CALL_MEDIA_TYPE = "application/x-call"
CALL_JOBS = {CALL_MEDIA_TYPE: f"{__name__}:answer_call"}

Item = TypeVar("Item")


def make_call(
    function: str,
    arguments: Iterable[Any],
    text: str = "",
    language: str | None = None,
    url: str | None = None,
) -> Record:
    """Return the record of a call."""
    call = json.dumps([function, list(arguments)], ensure_ascii=False)
    return Record(
        native_id=call,
        file="",
        offset=0,
        length=0,
        media_type=CALL_MEDIA_TYPE,
        body=text,
        language=language,
        url=url,
    )


@contextmanager
def borrow_caller(budgets: Budgets) -> Iterator[Parser]:
    """Yield a parser that answers calls, with the data files and the folders of plug-ins of this process.

    After an edit of a plug-in it is another one, which has not imported it.
    """
    known = [plugins.plugin_folders(), data.own_files(), plugins.codes_in_use()]
    room = replace(
        budgets, max_bytes=max(budgets.max_bytes, 4 * budgets.max_text)
    )  # these are texts, not inputs
    with borrow_parser(json.dumps(known, ensure_ascii=False), room, CALL_JOBS) as parser:
        yield parser


def call_each(
    caller: Parser, calls: Iterable[tuple[Item, Record | None]]
) -> Iterator[tuple[Item, Any | RejectedRecord | None]]:
    """Yield every item with the result of its call, or why there is none; None for an item without a call."""
    for item, answer in caller.extract_each(calls):
        if isinstance(answer, JobValues):
            yield item, json.loads(answer.values[0])
        elif isinstance(answer, RejectedRecord):
            yield item, answer
        else:
            yield item, None


def call_once(budgets: Budgets, record: Record) -> Any | RejectedRecord:
    """Return the result of one call, or why there is none."""
    with borrow_caller(budgets) as caller:
        (result,) = call_each(caller, [(None, record)])
    return result[1]


def call_plugin(name: str, budgets: Budgets, record: Record, path: KeyPath = ()) -> Any:
    """Return the result of one call to a plug-in.

    Raises UserError, one line that names it, with the manifest's key `path`, if there is none.
    """
    answer = call_once(budgets, record)
    if isinstance(answer, RejectedRecord):
        raise UserError(plugins.name_plugin(name, answer.error), path)
    return answer


@cache
def _set_up(setup: str) -> None:
    """Make the folders and data files of the process that calls known in this one."""
    folders, files, _ = json.loads(setup)
    plugins.add_folders(folders)
    data.use_own_files(files)


def answer_call(record: Record, mode: str) -> tuple[str]:
    """Do the call of a record, in the process that parses. `mode` is what `borrow_caller` sets up."""
    _set_up(mode)
    name, arguments = json.loads(record.native_id)
    function: Any = load_entry_point(name)
    return (json.dumps(function(*arguments, record), ensure_ascii=False),)
