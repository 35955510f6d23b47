"""A small input in many scripts for tests of whole builds, and digests of what they make."""

from __future__ import annotations

import bz2
import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus import storage

SENTENCES = {
    "eng": [
        "The river that runs through the old town was the reason that people came to live here.",
        "Every morning the baker opens the shop and puts the bread that is still warm in the window.",
        "With a little patience you can learn to repair a clock, and it is a pleasure to hear it again.",
        "The library keeps the letters of the families that lived on the hill for three hundred years.",
        "When the snow melts, the farmers look at the fields and decide what they will plant this year.",
        "It is said that the bridge was built by a man who had never seen a bridge in his life.",
    ],
    "cmn": [
        "这条河从老城中间流过，所以很早以前就有人在这里居住。",
        "每天早上，面包师打开店门，把还热着的面包放在窗口。",
        "只要有一点耐心，你就可以学会修理钟表，再次听到它的声音真让人高兴。",
        "图书馆保存着三百年来住在山上的家庭的信件。",
        "雪融化的时候，农民们看着田地，决定今年要种什么。",
        "据说这座桥是一个一生没有见过桥的人建造的。",
    ],
    "rus": [
        "Река, которая течёт через старый город, стала причиной того, что люди поселились здесь.",
        "Каждое утро пекарь открывает лавку и ставит на окно ещё тёплый хлеб.",
        "Если у вас есть немного терпения, вы можете научиться чинить часы, и это большая радость.",
        "В библиотеке хранятся письма семей, которые жили на холме триста лет.",
        "Когда тает снег, крестьяне смотрят на поля и решают, что они будут сажать в этом году.",
    ],
    "tha": [
        "แม่น้ำที่ไหลผ่านเมืองเก่าเป็นเหตุผลที่ผู้คนมาอาศัยอยู่ที่นี่",
        "ทุกเช้าคนทำขนมปังเปิดร้านและวางขนมปังที่ยังอุ่นอยู่ไว้ที่หน้าต่าง",
        "ถ้ามีความอดทนสักหน่อยคุณก็สามารถเรียนรู้วิธีซ่อมนาฬิกาได้",
        "ห้องสมุดเก็บจดหมายของครอบครัวที่อาศัยอยู่บนเนินเขามาสามร้อยปี",
    ],
    "arb": [
        "كان النهر الذي يجري في المدينة القديمة هو السبب الذي جعل الناس يعيشون هنا.",
        "في كل صباح يفتح الخباز الدكان ويضع الخبز الذي لا يزال دافئا في النافذة.",
        "مع قليل من الصبر يمكنك أن تتعلم إصلاح الساعة، ومن الممتع أن تسمعها مرة أخرى.",
        "تحتفظ المكتبة برسائل العائلات التي عاشت على التل منذ ثلاثمائة سنة.",
    ],
}
MANIFEST = """\
name: small
sources:
  web: {kind: warc, paths: ["*.warc.gz"], rules: [language]}
  wikipedia: {kind: wikipedia, paths: ["*.xml.bz2"]}
  mine: {kind: jsonl, paths: ["*.jsonl"], rules: [], group: null}
split_size: 4kB
validation: {share: 0.2}
tokenizer: {vocabulary: 600}
tokens: {min_language_tokens: 500}
""".replace(", group: null", "")


def article(language: str, seed: int, sentences: int = 12) -> str:
    """Paragraphs of sentences drawn by a seed."""
    draw = random.Random(f"{language}{seed}")
    chosen = [draw.choice(SENTENCES[language]) + f" ({draw.randint(1, 999)})" for _ in range(sentences)]
    return "\n\n".join(" ".join(chosen[at : at + 3]) for at in range(0, sentences, 3))


def write_inputs(folder: Path, pages: int = 60) -> Path:
    """Web pages, a dump and JSON lines in five languages, with copies and broken records; the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(SENTENCES)
    for number in range(2):
        with open(folder / f"crawl-{number}.warc.gz", "wb") as output:
            writer = WARCWriter(output, gzip=True)
            for page in range(number, pages, 2):
                text = article(names[page % len(names)], page - 5 if page % 10 == 7 else page)
                paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
                html = f"<html><head><title>{page}</title></head><body><article>{paragraphs}</article></body></html>"
                record = writer.create_warc_record(
                    f"https://site{page % 13}.example/{page}",
                    "response",
                    payload=io.BytesIO(html.encode()),
                    http_headers=StatusAndHeaders(
                        "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
                    ),
                    warc_headers_dict={
                        "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{page:012}>",
                        "WARC-Date": "2026-01-02T03:04:05Z",
                    },
                )
                writer.write_record(record)
            output.write(b"\x1f\x8b\x08 a damaged end")
    body = "".join(
        f"<page><title>{names[at % len(names)]} {at}</title><ns>0</ns><id>{at + 1}</id><revision><id>{at + 100}</id>"
        f"<timestamp>2026-01-01T00:00:00Z</timestamp><text>'''{at}''' {article(names[at % len(names)], 1000 + at)}"
        "</text></revision></page>\n"
        for at in range(20)
    )
    head = "<mediawiki><siteinfo><dbname>smallwiki</dbname><base>https://small.example/wiki/Main</base></siteinfo>\n"
    (folder / "smallwiki-articles.xml.bz2").write_bytes(
        b"".join(bz2.compress(piece.encode()) for piece in (head, body, "</mediawiki>"))
    )
    lines = [f'{{"id": "{at}", "text": "{article("eng", at, 3)}"}}'.replace("\n", "\\n") for at in range(8)]
    (folder / "mine.jsonl").write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    (folder / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    return folder / "manifest.yaml"


SPREAD = {"CORPUS_SPREAD_FROM": "0"}
"""Small as the input is, it goes to as many processes as are asked for."""


def command(manifest: Path, out: Path | str, workers: int = 1) -> list[str]:
    return [
        sys.executable,
        "-m",
        "corpus.pipelines.cli",
        "build",
        str(manifest),
        "--out",
        str(out),
        "--workers",
        str(workers),
    ]


def run_build(manifest: Path, out: Path | str, workers: int = 1) -> subprocess.CompletedProcess[str]:
    """A build in a process of its own, to its end."""
    return to_its_end(command(manifest, out, workers))


def to_its_end(command: list[str], seconds: float = 200) -> subprocess.CompletedProcess[str]:
    """A process that is to end in time: where it does not, the test fails with the stack of its threads."""
    environment = {**os.environ, **SPREAD, "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        output, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        _, said = process.communicate()
        raise AssertionError(f"no end after {seconds} seconds: {command}\n{said}") from None
    return subprocess.CompletedProcess(command, process.returncode, output, said)


def killed_build(manifest: Path, out: Path | str, after: float, workers: int = 1) -> bool:
    """A build killed with SIGKILL after some seconds; whether it had ended before."""
    process = subprocess.Popen(
        command(manifest, out, workers),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **SPREAD},
    )
    deadline = time.monotonic() + after
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return ended


APART = ("status.json", "timings.json", ".lock")
"""What of a workspace is about the run and not the result."""


def remote_digests(root: str) -> dict[str, str]:
    """`digests` of a workspace on an object store."""
    names = {path.removeprefix(f"{root}/"): path for path in storage.list_files(root)}
    return {name: storage.sha256(path) for name, path in names.items() if name not in APART}


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of everything that a build makes, but for times and state."""
    found = {}
    for base, _, names in os.walk(out):
        for name in names:
            path = Path(base) / name
            relative = path.relative_to(out).as_posix()
            if relative in APART:
                continue
            found[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
