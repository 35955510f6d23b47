"""The package, preset, manifest and input of docs/extending.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = (
    "The river rises in the north, and it is long. It reaches the sea after many days and nights.",
    "今天天气很好，我们一家人去公园散步，孩子们在湖边玩得很高兴，傍晚才回到家里吃晚饭，然后早早地睡了，第二天继续出门旅行。",
    "河水從北方的山上流下來，沿岸的人們在春天播種，秋天收割，冬天坐在爐火旁邊講古老的故事給孩子們聽，直到冰雪融化為止。",
    "今日は天気がとても良かったので、家族みんなで公園を散歩しました。夕方には家に帰って、晩ご飯を食べてから早く寝ました。",
    "แม่น้ำสายนี้ยาวมากและไหลลงสู่ทะเลหลังจากผ่านเมืองใหญ่หลายเมือง ผู้คนริมฝั่งใช้น้ำทำนา",
    "ينبع النهر من الشمال ويصل إلى البحر بعد أيام كثيرة. يعيش الناس على ضفتيه ويزرعون القمح.",
    "यह नदी उत्तर में निकलती है और कई दिनों के बाद समुद्र तक पहुँचती है। लोग इसके किनारे रहते हैं।",
    "Река берёт начало на севере и через много дней впадает в море. Люди живут на её берегах.",
)
"""Texts of 40 characters and more, in eight scripts."""


def write_lab(folder: Path) -> Path:
    """Write what the page shows into a folder, with input for it; return the folder."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", page, re.DOTALL)
    for name, text in blocks:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "mylab" / "__init__.py").write_text("")
    (folder / "poems").mkdir()
    (folder / "poems" / "all.txt").write_text("\n***\n".join(TEXTS) + "\n", encoding="utf-8")
    write_pages(folder / "pages" / "pages.warc")
    return folder


def write_pages(path: Path) -> None:
    """Write a WARC with a page for each text, its paragraphs in an article behind a menu."""
    records = []
    for number, text in enumerate(TEXTS):
        html = f"<html><head><title>{number}</title></head><body><p>menu</p><article><p>{text} {number}</p></article>"
        body = html.encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\n"
            f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-00000000000{number}>\r\n"
            f"WARC-Target-URI: https://example.org/{number}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
        )
        records.append(head.encode() + answer + b"\r\n\r\n")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(records))
