"""Source code: secrets beside detect-secrets, git repositories beside git itself, and every way in, per core.

    python -m tests.benchmarks.code_benchmark

The code is what is installed beside this Python (`site-packages`), 20 MB of it; repositories and archives are made
of it. detect-secrets (which `make bench` installs) is asked file by file, with the plugins and filters it has by
default. Times are processor seconds, of child processes too, the best of two rounds taken in turn.
"""

from __future__ import annotations

import io
import random
import resource
import subprocess
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from corpus.document import Record
from corpus.extract import extract
from corpus.extract.secrets import redact_secrets
from corpus.sources.code import Code, license_files
from corpus.sources.code.contents import SourceFile
from corpus.sources.code.git import GitContents
from corpus.sources.code.languages import has_magika, identify_by_content, identify_by_name
from tests.benchmarks import bench

BYTES = 20_000_000
SLOW = 1_000_000
"""Bytes that detect-secrets is given: it takes seconds for them."""
PLANTED = 200
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def files(limit: int) -> dict[str, bytes]:
    """Python files by their paths, in a mixed order that is always the same."""
    root = Path(sysconfig.get_paths()["purelib"])
    paths = sorted(path for path in root.rglob("*.py") if path.stat().st_size < 200_000)
    random.Random(7).shuffle(paths)
    found: dict[str, bytes] = {}
    for path in paths:
        found[path.relative_to(root).as_posix()] = path.read_bytes()
        limit -= len(found[path.relative_to(root).as_posix()])
        if limit <= 0:
            break
    return found


def cpu() -> float:
    """Processor seconds of this process and of its children that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def timed(tasks: dict[str, Callable[[], object]], rounds: int = 3) -> dict[str, float]:
    """The best seconds of each task, taken in turn."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, task in tasks.items():
            begun = cpu()
            task()
            best[name] = min(best.get(name, 1e9), cpu() - begun)
    return best


def planted() -> tuple[list[str], list[str]]:
    """Lines with a secret each, and lines that only look like it."""
    draw = random.Random(11)

    def word(length: int, alphabet: str = ALPHABET) -> str:
        return "".join(draw.choice(alphabet) for _ in range(length))

    real = [
        draw.choice(
            [
                f'api_key = "{word(32)}"\n',
                f"AWS_ID = 'AKIA{word(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}'\n",
                f'aws_secret_access_key: "{word(40)}"\n',
                f"token = 'ghp_{word(36)}'\n",
                f'client_secret="{word(40, "0123456789abcdef")}"\n',
                f"url = 'postgres://admin:{word(12)}@db.host.org/base'\n",
            ]
        )
        for _ in range(PLANTED)
    ]
    harmless = [
        draw.choice(
            [
                f'"integrity": "sha512-{word(86)}=="\n',
                f"sha256 = '{word(64, '0123456789abcdef')}'\n",
                f"commit {word(40, '0123456789abcdef')}\n",
                f'uuid = "{word(8, "0123456789abcdef")}-4a3b-11ee-be56-{word(12, "0123456789abcdef")}"\n',
                f'icon = "data:image/png;base64,{word(80)}"\n',
                'password = getpass("Password: ")\n',
                "secret_key = settings.SECRET_KEY_FOR_SIGNING\n",
            ]
        )
        for _ in range(PLANTED)
    ]
    return real, harmless


def detect_secrets() -> Callable[[str], int] | None:
    """Lines that detect-secrets reports in a text, with all its plugins; None if it is not there."""
    try:
        from detect_secrets.core.scan import scan_file
        from detect_secrets.settings import default_settings
    except ImportError:
        print("detect-secrets is not there (`make bench` installs it): left out")
        return None

    path = Path(tempfile.mkdtemp()) / "some.py"

    def found(text: str) -> int:
        path.write_text(text, encoding="utf-8")
        with default_settings():
            return len({secret.line_number for secret in scan_file(str(path))})

    return found


def show_secrets(code: dict[str, bytes]) -> None:
    texts = [body.decode("utf-8", "replace") for body in code.values()]
    peer = detect_secrets()
    size = sum(map(len, texts))
    few: list[str] = []
    while sum(map(len, few)) < SLOW:
        few.append(texts[len(few)])
    real, harmless = planted()
    tasks: dict[str, tuple[Callable[[str], int], list[str]]] = {
        "corpus": (lambda text: redact_secrets(text)[1], texts)
    }
    if peer is not None:
        tasks["detect-secrets"] = (peer, few)
    seconds = timed({name: partial(_map, finder, given) for name, (finder, given) in tasks.items()}, 2)
    print(f"secrets and addresses, {size / 1e6:.0f} MB of Python")
    print(f"{'':16}{'MB/s':>8}{'of real ones':>14}{'false alarms':>14}{'in installed code':>19}")
    for name, (finder, given) in tasks.items():
        rate = sum(map(len, given)) / seconds[name] / 1e6
        hits = sum(bool(finder(line)) for line in real) / len(real)
        alarms = sum(bool(finder(line)) for line in harmless) / len(harmless)
        per_mb = sum(map(finder, few)) / sum(map(len, few)) * 1e6
        print(f"{name:16}{rate:8.2f}{hits:14.0%}{alarms:14.0%}{per_mb:12.1f} per MB")


def _map(function: Callable[[str], int], texts: list[str]) -> list[int]:
    return [function(text) for text in texts]


def show_inputs(code: dict[str, bytes], folder: Path) -> None:
    tree = folder / "tree"
    for name, body in code.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(body)
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@n", "-C", str(tree)]
    for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", "one"], ["gc", "-q"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(tree), str(folder / "bare.git")], check=True)
    with tarfile.open(folder / "a.tar.gz", "w:gz", compresslevel=6) as tar:
        for name, body in code.items():
            header = tarfile.TarInfo(f"a/{name}")
            header.size = len(body)
            tar.addfile(header, io.BytesIO(body))
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in code.items():
            packed.writestr(f"a/{name}", body)
    (tree / ".git").rename(folder / "hidden")
    source = Code.model_validate(
        {"paths": ["x"], "license": "MIT", "content": False, "licenses": {"allow": "all"}}
    )
    inputs = {
        "folder": tree,
        "bare git": folder / "bare.git",
        "tar.gz": folder / "a.tar.gz",
        "zip": folder / "a.zip",
    }

    def whole(path: Path) -> None:
        size = 0 if path.is_dir() else path.stat().st_size
        for start, end in source.plan(str(path), size, 1 << 40):
            for one in source.read(str(path), path.name, start, end):
                if isinstance(one, Record) and one.gate is None:
                    extract(one, "fast")

    def objects() -> None:
        for one in GitContents(str(folder / "bare.git"), "bare.git").files():
            assert isinstance(one, SourceFile)
            one.read()

    def cat_file() -> None:
        bare = ["git", "-C", str(folder / "bare.git")]
        listed = subprocess.run(
            [*bare, "ls-tree", "-r", "--format=%(objectname)", "HEAD"], capture_output=True
        )
        subprocess.run([*bare, "cat-file", "--batch"], input=listed.stdout, capture_output=True, check=True)

    tasks: dict[str, Callable[[], object]] = {name: partial(whole, path) for name, path in inputs.items()}
    seconds = timed({**tasks, "objects by dulwich": objects, "objects by git": cat_file}, 2)
    size = sum(map(len, code.values()))
    print(f"\n{'from an input to text, and objects alone':42}{'MB/s':>8}{'files/s':>10}")
    for name, taken in seconds.items():
        print(f"{name:42}{size / taken / 1e6:8.1f}{len(code) / taken:10.0f}")


def show_parts(code: dict[str, bytes]) -> None:
    root = Path(sysconfig.get_paths()["purelib"])
    texts = [path.read_text("utf-8", "replace") for path in sorted(root.glob("*.dist-info/**/LICENSE*"))[:60]]
    some = dict(list(code.items())[:100])
    tasks: dict[str, tuple[Callable[[], object], int]] = {
        "licence files": (
            lambda: [license_files.identify_licenses.__wrapped__(text) for text in texts],
            len(texts),
        ),
        "languages by name": (
            lambda: [identify_by_name(name, body) for name, body in code.items()],
            len(code),
        ),
    }
    if has_magika():
        identify_by_content(b"x")
        tasks["languages by content"] = (
            lambda: [identify_by_content(body) for body in some.values()],
            len(some),
        )
    seconds = timed({name: task for name, (task, _) in tasks.items()}, 2)
    print(f"\n{'':42}{'ms each':>8}")
    for name, (_, count) in tasks.items():
        print(f"{name:42}{seconds[name] / count * 1e3:8.3f}")


def main() -> None:
    bench.parser(__doc__).parse_args()
    code = files(BYTES)
    show_secrets(code)
    with tempfile.TemporaryDirectory() as folder:
        show_inputs(code, Path(folder))
    show_parts(code)


if __name__ == "__main__":
    main()
