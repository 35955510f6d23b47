"""Child Python processes that find the same modules as their parent, whatever its current folder."""

from __future__ import annotations

import json
import sys

_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {module} import main; main()"


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that calls `main()` of a module in a new interpreter, with `arguments` in sys.argv.

    The module is named in the command line. `-m` would put the current folder first, where a `corpus.py` or a
    `pipelines.py` of the user may lie; the module path of this process, which found `corpus`, is passed on instead.
    """
    return [sys.executable, "-I", "-c", _START.format(module=module), json.dumps(sys.path), *arguments]
