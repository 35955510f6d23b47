"""A real browser without a screen: a page's DOM when it has drawn itself, and what its console said."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=10000",
]


def chromium() -> str:
    """The browser's path; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed: `make setup-browser` does it")
    return found


def opened(page: Path, fragment: str = "", width: int = 1200, dark: bool = False) -> tuple[str, list[str]]:
    """The page's DOM as HTML, and the lines that it wrote to the console."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                chromium(),
                *QUIET,
                f"--user-data-dir={profile}",
                f"--window-size={width},1000",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                "--enable-logging=stderr",
                "--dump-dom",
                page.as_uri() + fragment,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def take_picture(page: Path, target: Path, width: int, height: int, dark: bool = False) -> None:
    """Write a PNG of the top of a page. A window narrower than 500 pixels is a frame in a wider one, cut to it."""
    with tempfile.TemporaryDirectory() as folder:
        shown = page
        if width < 500:
            shown = Path(folder, "frame.html")
            shown.write_text(
                f'<body style="margin:0"><iframe src="{page.as_uri()}" width="{width}" height="{height}" '
                'style="border:0"></iframe></body>',
                encoding="utf-8",
            )
        subprocess.run(
            [
                chromium(),
                *QUIET,
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},{height}",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                f"--screenshot={target}",
                shown.as_uri(),
            ],
            capture_output=True,
            check=True,
            timeout=120,
        )


def with_script(content: str, script: str) -> str:
    """The page with a script of the test's own, which its policy lets run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "script-src 'sha256-" in content
    allowed = content.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return re.sub(r"</body>\s*</html>\s*$", lambda _: f"<script>{script}</script></body></html>", allowed)
