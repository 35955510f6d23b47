from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from corpus import data as corpus_data
from corpus import plugins

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

LONGEST_FIRST = [
    "tests/pipelines",
    "tests/install_test.py",
    "tests/plugins",
    "tests/api_test.py",
    "tests/trainer",
]
"""Where the files lie that take a minute and more each. They start first, or a core waits for the last of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.nodeid
        return next(
            (at for at, start in enumerate(LONGEST_FIRST) if name.startswith(start)), len(LONGEST_FIRST)
        )

    items.sort(key=place)


@pytest.fixture(autouse=True)
def plugin_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of plug-ins that a test names are not those of the next."""
    monkeypatch.setattr(plugins, "_folders", list(plugins._folders))


@pytest.fixture(autouse=True)
def own_files() -> Iterator[None]:
    """A user's own data files that a test loads are not those of the next."""
    yield
    corpus_data.use_own_files({})


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real sample input; tests that need it are skipped where it is not at hand."""
    folder = os.environ.get("CORPUS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CORPUS_DATA is not set: no real sample input")
    return Path(folder).resolve()


SAID: list[str] = []
"""What long runs found out, printed at the end of `make soak`."""


@pytest.fixture
def told() -> Callable[[str], None]:
    """Takes a line for the summary of `make soak`."""
    return SAID.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The summary of `make soak`."""
    if "not soak" not in (config.option.markexpr or ""):
        terminalreporter.section("soak")
        for line in SAID:
            terminalreporter.write_line(f"  {line}")
        passed = len(terminalreporter.stats.get("passed", []))
        failed = len(terminalreporter.stats.get("failed", [])) + len(terminalreporter.stats.get("error", []))
        terminalreporter.write_line(f"soak: {passed} runs as undisturbed, {failed} not")
