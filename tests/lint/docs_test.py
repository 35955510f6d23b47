"""Pages are for those who have the wheel: what only a checkout has is marked."""

from __future__ import annotations

import pytest

from tests.lint.docs import find_checkout_only


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("Run `make demo`.\n", "`make demo is there in a checkout only"),
        ("```\n$ make demo\n```\n", "$ make demo is there in a checkout only"),
        ("`tests/benchmarks/code_benchmark.py` has it.\n", "tests/ is there in a checkout only"),
        ("```\n.venv/bin/corpus plan m.yaml\n```\n", ".venv/bin is there in a checkout only"),
        (
            "The lists are in `manifests/code/licenses.yaml`.\n",
            "manifests/code/ is elsewhere in an installed package",
        ),
        (
            "```console\n$ corpus build manifests/a.yaml --out a\n```\n`corpus list manifests`",
            "works in a checkout only",
        ),
        ("In a checkout, `make demo` and `tests/a.py`.\n", ""),
        ("`manifests/a.yaml`: `corpus list manifests a` prints it.\n", ""),
        ("They make demos of latests/ands.\n", ""),
    ],
)
def test_what_only_a_checkout_has_is_marked(page: str, wrong: str) -> None:
    found = find_checkout_only(page)
    assert (wrong in found[0]) if wrong else found == []
