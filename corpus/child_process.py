"""Python processes of our own: they find the same modules as the process that starts them, wherever it stands."""

from __future__ import annotations

import json
import sys

_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {module} import main; main()"


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that calls `main()` of a module in a new interpreter, with `arguments` in sys.argv.

    The module is named in the command line. `-m` would put the current folder first, where a `corpus.py` or a
    `pipelines.py` of the user's may lie; the path of this process, which found `corpus`, is handed on instead.
    """
    return [sys.executable, "-I", "-c", _START.format(module=module), json.dumps(sys.path), *arguments]
