#!/usr/bin/env bash
# htmldate dates pages with a day in Chinese or Japanese to January 1 of its year.
#
# Expected: the day that the page shows, or None: a year alone is no day. It reads days in Korean, Hindi, Thai and Arabic,
#   and `2021年3月4日` is how most pages in Chinese and Japanese write one.
# Happens: `2021-01-01`, in any element, `time` and those called dates among them; the month and the day are not read.
# Matters: news by day, what was known before a date, splits by time, "published after the cutoff": pages of two of the
#   largest languages of the web fall on one day a year, where their text alone states the day. trafilatura takes the
#   date of its metadata from here.
# Versions: htmldate 1.11.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "htmldate==1.11.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from htmldate import find_date

for date in (
    "2021年3月4日",
    "发布时间：2021年11月24日 10:30",
    "<time>2021年12月24日</time>",
    "<span class='date'>2021年03月04日</span>",
    "2021년 11월 24일",
    "24 พฤศจิกายน 2021",
    "२४ नवंबर 2021",
    "24 نوفمبر 2021",
    "24 november 2021",
):
    print(date, find_date(f"<html><body><h1>Title</h1><div>{date}</div><p>Text.</p></body></html>"))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "2021年3月4日 2021-01-01
发布时间：2021年11月24日 10:30 2021-01-01
<time>2021年12月24日</time> 2021-01-01
<span class='date'>2021年03月04日</span> 2021-01-01
2021년 11월 24일 2021-11-24
24 พฤศจิกายน 2021 2021-11-24
२४ नवंबर 2021 2021-11-24
24 نوفمبر 2021 2021-11-24
24 november 2021 2021-11-24" ]
