"""Write siunitx's numbers, units and ranges as they are printed: `\\SIrange{10}{15}{\\minute}` as `10 to 15 min`.

Both forms of the package: `\\SI`, `\\si` and `\\qty`, `\\unit`. Units are commands (`\\kilo\\metre\\per\\second`) or
text (`km/s`).
"""

from __future__ import annotations

import re

from corpus.extract.raised_text import SUPERSCRIPTS

UNIT_SYMBOLS = {
    "ampere": "A", "candela": "cd", "kelvin": "K", "kilogram": "kg", "gram": "g", "metre": "m", "meter": "m", "mole":
    "mol", "second": "s", "becquerel": "Bq", "degreeCelsius": "°C", "celsius": "°C", "coulomb": "C", "farad": "F",
    "gray": "Gy", "hertz": "Hz", "henry": "H", "joule": "J", "katal": "kat", "lumen": "lm", "lux": "lx", "newton":
    "N", "ohm": "Ω", "pascal": "Pa", "radian": "rad", "siemens": "S", "sievert": "Sv", "steradian": "sr", "tesla":
    "T", "volt": "V", "watt": "W", "weber": "Wb", "astronomicalunit": "au", "bel": "B", "dalton": "Da", "day": "d",
    "decibel": "dB", "degree": "°", "electronvolt": "eV", "hectare": "ha", "hour": "h", "litre": "L", "liter": "L",
    "arcminute": "′", "minute": "min", "arcsecond": "″", "neper": "Np", "tonne": "t", "percent": "%", "bar": "bar",
    "angstrom": "Å", "atomicmassunit": "u", "barn": "b", "knot": "kn", "mmHg": "mmHg", "nauticalmile": "M", "bit":
    "bit", "byte": "B", "planckbar": "ħ", "clight": "c", "elementarycharge": "e", "bohr": "a₀", "hartree": "Eₕ",
    "parsec": "pc", "year": "a",
}  # fmt: skip
"""Commands of units, and what they print."""
PREFIXES = {
    "quecto": "q", "ronto": "r", "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n",
    "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k",
    "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "ronna": "R",
    "quetta": "Q", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti", "pebi": "Pi", "exbi": "Ei",
}  # fmt: skip
ABBREVIATIONS = {
    **{f"{prefix}{unit}": f"{shown}{unit}" for unit in ("m", "s", "g", "A", "N", "J", "W", "V", "K", "L", "l", "F",
    "H", "C", "T", "Pa", "Hz", "eV", "mol", "bar", "Da") for prefix, shown in (("f", "f"), ("p", "p"), ("n", "n"),
    ("u", "µ"), ("m", "m"), ("c", "c"), ("d", "d"), ("k", "k"), ("M", "M"), ("G", "G"), ("T", "T"))}, "m": "m", "s":
    "s", "g": "g", "A": "A", "N": "N", "J": "J", "W": "W", "V": "V", "K": "K", "eV": "eV", "Hz": "Hz", "Pa": "Pa",
    "kohm": "kΩ", "Mohm": "MΩ", "dB": "dB", "kWh": "kWh", "mol": "mol",
}  # fmt: skip
"""Short commands of units (`\\km`, `\\us`)."""
_POWERS = {"squared": "²", "cubed": "³", "square": "²", "cubic": "³"}
_SUPERSCRIPTS = SUPERSCRIPTS | str.maketrans(".", "·")
_TOKEN = re.compile(
    r"\\([A-Za-z]+)(?:\s*\{([^{}]*)\})?|\^\s*\{([^{}]*)\}|\^\s*([-+\d])|_\s*\{([^{}]*)\}|[.~]|\\,|\s+|[^\\^.~\s]+"
)
_NUMBER = re.compile(r"^(.*?)\s*[eEdD]\s*([-+]?\d+)$")
TAKES_ARGUMENT = ("tothe", "raiseto", "of", "per", "text", "mathrm", "operatorname")


def write_unit(tex: str) -> str:
    """Return a unit as text, factors with a space between: `m s⁻¹`, `km/h` where that is what stands there."""
    factors: list[str] = []
    prefix, power, is_inverse = "", "", False

    def add(symbol: str) -> None:
        nonlocal prefix, power, is_inverse
        written = prefix + symbol + (power if not is_inverse else f"⁻{power or '¹'}")
        factors.append(written)
        prefix, power, is_inverse = "", "", False

    for match in _TOKEN.finditer(tex):
        name, argument, raised, digit, lowered = match.groups()
        if name in PREFIXES:
            prefix += PREFIXES[name]
        elif name == "per":
            is_inverse = True
        elif name in ("square", "cubic"):
            power = _POWERS[name]
        elif name in ("squared", "cubed"):
            _raise_last(factors, _POWERS[name])
        elif name == "raiseto":
            power = (argument or "").translate(_SUPERSCRIPTS)
        elif name == "tothe" or raised is not None or digit is not None:
            exponent = argument if name == "tothe" else raised if raised is not None else digit
            _raise_last(factors, (exponent or "").translate(_SUPERSCRIPTS))
        elif name == "of" or lowered is not None:
            if factors:
                factors[-1] += f" {argument or lowered}"
        elif name in ("cancel", "highlight"):
            continue
        elif name in ("text", "mathrm", "operatorname"):
            add(argument or "")
        elif name is not None:
            add(UNIT_SYMBOLS.get(name) or ABBREVIATIONS.get(name) or name)
        elif match[0].strip(" .~\n\t\\,"):
            add(match[0])
    return " ".join(factors).replace(" /", "/").replace("/ ", "/")


def _raise_last(factors: list[str], power: str) -> None:
    if not factors:
        return
    last = factors[-1]
    factors[-1] = last.removesuffix("⁻¹") + f"⁻{power}" if last.endswith("⁻¹") else last + power


def write_number(tex: str) -> str:
    """Return a number as text: `1.5e-3` as `1.5 × 10⁻³`, `2 +- 0.1` as `2 ± 0.1`."""
    text = " ".join(tex.replace("\\pm", "±").replace("+-", "±").replace("~", " ").split())
    text = text.replace("±", " ± ").replace("  ", " ")
    if (scientific := _NUMBER.match(text)) is not None:
        power = f"10{scientific[2].removeprefix('+').translate(_SUPERSCRIPTS)}"
        text = f"{scientific[1]} × {power}" if scientific[1] else power
    text = re.sub(r"(?<=\d)\s*x\s*(?=\d)", " × ", text)
    return (
        text.replace("\\times", "×")
        .replace("\\cdot", "·")
        .replace("\\%", "%")
        .replace("{", "")
        .replace("}", "")
    )


def join_quantity(number: str, unit: str) -> str:
    """Return a number and its unit: `12 m`, `90°`, `5 %`."""
    if not unit or unit in ("°", "′", "″"):
        return number + unit
    return f"{number} {unit}" if number else unit


def write_list(numbers: list[str], unit: str, last: str) -> str:
    """Return several numbers with one unit: `1, 2 and 3 m`."""
    written = [write_number(number) for number in numbers if number.strip()]
    joined = f"{', '.join(written[:-1])}{last}{written[-1]}" if len(written) > 1 else "".join(written)
    return join_quantity(joined, unit)


def write_angle(tex: str) -> str:
    """Return an angle in degrees, minutes and seconds: `12;30;5` as `12° 30′ 5″`."""
    parts = [part.strip() for part in tex.split(";")]
    return " ".join(f"{part}{sign}" for part, sign in zip(parts, "°′″", strict=False) if part)
