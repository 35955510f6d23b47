"""Read rows of evaluation sets as items: by the names that their columns have in the field's sets, or by `fields`.

    question   question, query, problem, prompt, ... ; the text before a gap where the set asks for a continuation
    options    choices, options, endings, A to J, sol1 and sol2, option1 and option2, ...
    answer     answer, solution, continuation, canonical_solution, ... ; not the letter or number of an option
    passage    passage, article, story; a context beside a question

Rows that lm-eval logs (`--log_samples`) hold the item's own row under `doc`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

QUESTION_KEYS = (
    "question", "query", "goal", "problem", "prompt", "sentence", "instruction", "input", "ctx", "stem", "premise",
    "sentence1", "claim", "startphrase", "input_correct", "question_text", "text", "题目", "问题", "问句",
)  # fmt: skip
CONTEXT_KEYS = (
    "passage", "article", "paragraph", "story", "context", "background", "support", "fact1", "evidence", "文章", "材料",
)  # fmt: skip
OPTION_LIST_KEYS = (
    "choices", "options", "endings", "candidates", "answer_choices", "mc1_targets", "mc2_targets", "choice", "选项",
)  # fmt: skip
OPTION_KEYS = (
    *"ABCDEFGHIJ", "sol1", "sol2", "option1", "option2", "option_a", "option_b", "option_c", "option_d", "opa", "opb",
    "opc", "opd", "ending0", "ending1", "ending2", "ending3", "choice1", "choice2", "distractor1", "distractor2",
    "distractor3", "correct_answer", "incorrect answer 1", "incorrect answer 2", "incorrect answer 3",
    "correct answer", "sentence_good", "sentence_bad", "hypothesis", "sentence2",
)  # fmt: skip
ANSWER_KEYS = (
    "answer", "answers", "continuation", "solution", "canonical_solution", "target", "output", "completion", "response",
    "rationale", "explanation", "best_answer", "gold", "code", "答案",
)  # fmt: skip
ID_KEYS = ("id", "task_id", "qid", "question_id", "_id", "uid", "idx", "ind", "index", "doc_id")
MAX_PART_CHARACTERS = 100_000
"""Characters of a part that are looked for."""
_UNSEEN = re.compile(r"<(script|style)\b[^<>]{0,2000}>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
"""What no reader of a page sees. One that is not closed keeps its text: it may be a question about such a tag."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--.*?-->", re.DOTALL)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|tt|u|var|wbr)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
"""Tags that part no words: H<sub>2</sub>O is one."""
_MARKUP = re.compile(
    r"</[a-zA-Z]|<(?:br|p|img|div|span|sup|sub|i|b)\b[^<>]*>|&(?:[a-z]+|#\d+);", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class EvaluationItem:
    """An item: `name` within its set, and its texts, None or empty where it has none."""

    name: str
    question: str
    options: tuple[str, ...] = ()
    answer: str = ""
    passage: str = ""

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield (part, text) in the order of the index, an option at a time."""
        yield "question", self.question
        for option in self.options:
            yield "options", option
        yield "answer", self.answer
        yield "passage", self.passage


def read_item(
    row: Mapping[str, Any], name: str, fields: Mapping[str, Sequence[str]] | None
) -> EvaluationItem:
    """Return the item of a row. Raises ValueError, with what the row has, if it has no text to look for."""
    doc = row.get("doc")
    if isinstance(doc, Mapping) and not (
        fields and any(key in row for keys in fields.values() for key in keys)
    ):
        row = doc
    if fields is not None:
        return _read_named(row, name, fields)
    by_key = {str(key).strip().casefold(): value for key, value in row.items() if key is not None}
    question = _take_first(by_key, QUESTION_KEYS)
    nested: list[str] = []
    stem = by_key.get("question")
    if isinstance(stem, Mapping):
        question, nested = _flatten(stem.get("stem") or stem.get("text")), _list_options(stem.get("choices"))
    passage = _take_first(by_key, CONTEXT_KEYS)
    if not question:
        question, passage = passage, ""
    options = nested or _read_options(by_key)
    answer = _read_answer(by_key, options)
    if not question:
        question, answer = answer, ""
    if not question and options:
        question, options = options[0], options[1:]
    if not question.strip():
        columns = ", ".join(map(str, row)) or "there are none"
        raise ValueError(f"no text among its columns: {columns}: `fields` says which is the question")
    return EvaluationItem(
        name=_read_name(by_key, name),
        question=_clean(question),
        options=tuple(filter(None, map(_clean, options))),
        answer=_clean(answer),
        passage=_clean(passage),
    )


def _read_named(row: Mapping[str, Any], name: str, fields: Mapping[str, Sequence[str]]) -> EvaluationItem:
    def take(part: str) -> list[str]:
        texts: list[str] = []
        for column in fields.get(part, ()):
            value: Any = row
            for key in column.split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            texts += _list_options(value) if part == "options" else [_flatten(value)]
        return [text for text in texts if text]

    question = "\n".join(take("question"))
    if not question.strip():
        missing = [column for column in fields.get("question", ()) if column.split(".")[0] not in row]
        raise ValueError(f"no text under {', '.join(missing or fields.get('question', ['question']))}")
    given = take("id")
    return EvaluationItem(
        name=given[0] if given else name,
        question=_clean(question),
        options=tuple(map(_clean, take("options"))),
        answer=_clean("\n".join(take("answer"))),
        passage=_clean("\n".join(take("passage"))),
    )


def _read_name(row: Mapping[str, Any], name: str) -> str:
    for key in ID_KEYS:
        value = row.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return f"{name.rpartition(':')[0]}:{value}" if ":" in name else str(value)
    return name


def _take_first(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((text for key in keys if (text := _flatten(row.get(key))).strip()), "")


def _flatten(value: Any) -> str:
    """Return the text of a value: strings as they are, lists and the texts of mappings one after another."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "\n".join(
            filter(None, (_flatten(value[key]) for key in ("text", "content", "stem") if key in value))
        )
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(_flatten, value)))
    return ""


def _list_options(value: Any) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    if isinstance(value, Mapping):
        inner = next((value[key] for key in ("text", "choices", "options") if key in value), None)
        return _list_options(inner if inner is not None else list(value.values()))
    if isinstance(value, list | tuple):
        return [text for each in value if (text := _flatten(each))]
    return [value] if isinstance(value, str) else []


def _read_options(row: Mapping[str, Any]) -> list[str]:
    for key in OPTION_LIST_KEYS:
        if options := _list_options(row.get(key)):
            return options
    options = [_flatten(row.get(key.casefold())) for key in OPTION_KEYS]
    return list(dict.fromkeys(filter(None, options)))


def _read_answer(row: Mapping[str, Any], options: Sequence[str]) -> str:
    for key in ANSWER_KEYS:
        text = _flatten(row.get(key))
        if text.strip() and not (options and (len(text.strip()) <= 2 or text in options)):
            return text
    return ""


def _clean(text: str) -> str:
    """Return a text without tags, scripts, styles and entities if it has any, cut to `MAX_PART_CHARACTERS`."""
    if ("<" in text or "&" in text) and _MARKUP.search(text):
        text = html.unescape(_TAG.sub(" ", _INLINE_TAG.sub("", _UNSEEN.sub(" ", text))))
    return text[:MAX_PART_CHARACTERS].replace("\0", " ").strip()
