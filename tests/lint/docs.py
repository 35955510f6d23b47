"""The documentation holds: its links lead to files, its commands and options exist, its YAML is a manifest."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
CODE = re.compile(r"`((?!DIR/|RUN/|OUT/)[\w./-]+/[\w.-]+\.(?:py|md|yaml|txt))`")
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?corpus (\w+.*)$", re.MULTILINE)
NAMED_COMMAND = re.compile(r"`corpus ([a-z]\w*)[^`]*`")


CHECKOUT = re.compile(
    r"(?<![\w/.-])(?:tests/|tests\.[a-z]|findings/|\.venv/bin)|`make [a-z-]+|^(?:\$ )?make [a-z-]+",
    re.MULTILINE,
)
"""What only a checkout has."""
OF_THE_REPOSITORY = ("CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md")
"""Pages about the repository itself."""
DATA = re.compile(r"(?<![\w/.-])manifests/[\w-]+[/.]")
MANIFEST_OF_CHECKOUT = re.compile(r"^(?:\$ )?corpus \w+.* manifests/[\w-]+\.yaml", re.MULTILINE)


def find_checkout_only(text: str) -> list[str]:
    """Return what is wrong with a page for somebody who has the wheel: it names what only a checkout has, without a
    word about that."""
    wrong = []
    if (named := CHECKOUT.search(text)) and "in a checkout" not in text.lower():
        wrong.append(f"{named[0].strip()} is there in a checkout only: say so")
    if (named := DATA.search(text)) and not re.search(r"corpus list manifests|corpus/_manifests", text):
        wrong.append(f"{named[0]} is elsewhere in an installed package: say how to print it, or where it is")
    for block in re.findall(r"```(?:console)?\n(.*?)```", text, re.DOTALL):
        if named := MANIFEST_OF_CHECKOUT.search(block):
            wrong.append(f"`{named[0]}` works in a checkout only: `corpus list manifests NAME > NAME.yaml`")
    return wrong


WORDS_OF_GROUPS = {"model": 3, "experiment": 2, "bench": 2}
"""Words that name a command of a group."""


@cache
def show_help(*command: str) -> str:
    """Return the help of a command; nothing if there is no such command."""
    shown = subprocess.run(
        [sys.executable, "-m", "corpus.pipelines.cli", *command, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
    )
    return shown.stdout if shown.returncode == 0 else ""


def main() -> int:
    wrong = []
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if str(name) not in OF_THE_REPOSITORY:
            wrong += [f"{name}: {problem}" for problem in find_checkout_only(text)]
        for target in LINK.findall(text):
            if not (path.parent / target).exists():
                wrong.append(f"{name}: the link {target} leads nowhere")
        for target in CODE.findall(text):
            if not (ROOT / target).exists():
                wrong.append(f"{name}: there is no {target}")
        for line in COMMAND.findall(text):
            words = shlex.split(line.split(" -- ")[0], comments=True)
            command = words[: WORDS_OF_GROUPS.get(words[0], 1)]
            shown = show_help(*command)
            if not shown:
                wrong.append(f"{name}: no command `corpus {' '.join(command)}`")
            for option in [word.split("=")[0] for word in words if word.startswith("--")]:
                if shown and option not in shown:
                    wrong.append(f"{name}: `corpus {' '.join(command)}` has no {option}")
        for command_name in dict.fromkeys(NAMED_COMMAND.findall(text)):
            if not show_help(command_name):
                wrong.append(f"{name}: no command `corpus {command_name}`")
    print("\n".join(wrong) or "docs: links, files, commands and options are there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
