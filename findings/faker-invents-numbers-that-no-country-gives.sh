#!/usr/bin/env bash
# Faker's national numbers, and cards, of some locales are ones that nobody has: they do not follow the countries' rules.
#
# Expected: `ssn()` of a locale follows the country's form and check digit, as its documentation says of some.
# Happens: South Korean ones are born in month 00 or on day 00 one time in eight; one in ten Hungarian ones has 12 digits,
#   since the remainder 10, which is never given, is written out; those born in 1917 have the check digit of those born
#   since 1997; Thai ones name provinces that there are not; Mexican CURPs call Querétaro QO for QT; Ukrainian cards of
#   the national brand begin with any 9 for 9804.
# Matters: recall that is measured on faker's values by locale is too low for whoever checks dates and check digits.
# Versions: Faker 40.63.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "Faker==40.63.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from faker import Faker

COUNT = 2000
PROVINCES_BEYOND = {*range(28, 30), 59, 68, 69, 78, 79, *range(87, 90)}  # codes that no Thai province has


def share(locale, method, is_wrong):
    maker = Faker(locale)
    maker.seed_instance(1)
    values = [getattr(maker, method)() for _ in range(COUNT)]
    wrong = [value for value in values if is_wrong(value)]
    print(f"{locale} {method}: {len(wrong)} of {COUNT}, such as {wrong[0]}" if wrong else f"{locale} {method}: none")
    return len(wrong)


counts = [
    share("ko_KR", "ssn", lambda value: value[2:4] == "00" or value[4:6] == "00"),
    share("hu_HU", "ssn", lambda value: len(value) != 11),
    share("th_TH", "ssn", lambda value: int(value[2:4]) in PROVINCES_BEYOND),
    share("es_MX", "curp", lambda value: value[11:13] == "QO"),
    share("uk_UA", "credit_card_number", lambda value: value[0] == "9" and not value.startswith("9804")),
]
assert all(counts), counts
PYTHON
"$folder/venv/bin/python" "$folder/probe.py"
