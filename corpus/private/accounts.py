"""Find numbers of bank accounts (ISO 13616) and addresses of wallets, by their check sums."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from corpus.private.digit_regions import Region, search_regions
from corpus.private.private_words import read_words

MIN_WALLET_CHARACTERS = 26
"""Letters and digits of the shortest address, which stand together."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![a-z])", re.ASCII)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BITCOIN = re.compile(r"[13LDM][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])", re.ASCII)
_BECH32 = re.compile(r"(?<![A-Za-z0-9])(?:bc|ltc|tb)1[02-9ac-hj-np-z]{11,87}(?![A-Za-z0-9])", re.ASCII)
_BECH32_MARKS = ("bc1", "ltc1", "tb1")
_BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_ETHEREUM = re.compile(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])", re.ASCII)


def find_ibans(text: str, regions: list[Region]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every account number whose length and remainder by 97 are right."""
    lengths = read_words().iban_lengths
    for match in search_regions(_IBAN, text, regions):
        length = lengths.get(match[0][:2])
        if length is None:
            continue
        end, taken = match.start(), 0
        while taken < length and end < match.end():
            taken += text[end] not in " -"
            end += 1
        number = text[match.start() : end].replace(" ", "").replace("-", "")
        if taken == length and not text[end : end + 1].isalnum() and is_iban(number):
            yield match.start(), end


def is_iban(number: str) -> bool:
    """Return whether a number without spaces has the remainder 1 by 97, its first four characters moved to the end."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def find_wallets(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of addresses of Bitcoin and its kin, checked, and of Ethereum, whose form is long enough."""
    for match in _BITCOIN.finditer(text):
        if not text[max(0, match.start() - 1) : match.start()].isalnum() and _is_base58_checked(match[0]):
            yield match.span()
    if any(mark in text for mark in _BECH32_MARKS):
        for match in _BECH32.finditer(text):
            if _is_bech32(match[0]):
                yield match.span()
    if "0x" in text:
        for match in _ETHEREUM.finditer(text):
            if len(set(match[0][2:].lower())) > 4:  # addresses of zeros and the like belong to nobody
                yield match.span()


def _is_base58_checked(address: str) -> bool:
    if not any(map(str.isdigit, address)) or address.isdigit():
        return False
    value = 0
    for character in address:
        value = value * 58 + _BASE58.index(character)
    if value.bit_length() > 200:
        return False
    raw = value.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def _is_bech32(address: str) -> bool:
    """Check the sum of BIP 173 and BIP 350."""
    prefix, _, data = address.rpartition("1")
    values = (
        [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]
    )
    values += [_BECH32_ALPHABET.index(character) for character in data]
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            remainder ^= generator if top >> bit & 1 else 0
    return remainder in (1, 0x2BC830A3)
