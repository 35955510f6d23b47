"""Find addresses of wallets: of Bitcoin and the chains after it by their check sums, of Ethereum and Monero by their
form, which is long enough."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from corpus.extract.secrets import TextBytes

MIN_WALLET_CHARACTERS = 26
"""Letters and digits of the shortest address, which stand together."""
MAX_BASE58_BITS = 208
"""Bits of a version of one or two bytes, a hash of 20 and a check sum of 4."""
MIN_DIFFERENT_DIGITS = 5
"""Different hexadecimal digits of an address that belongs to somebody: one of zeros does not."""

_TOKEN = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{26,120}(?![A-Za-z0-9])")
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BASE58_ADDRESS = re.compile(rb"[1-9A-HJ-NP-Za-km-z]{26,36}")
_MONERO = re.compile(rb"[48][1-9A-HJ-NP-Za-km-z]{94}")
_ETHEREUM = re.compile(rb"0x([0-9a-fA-F]{40})")
_BECH32 = re.compile(
    rb"(bc|tb|ltc|addr|stake|cosmos|osmo|terra|inj|kava|juno|sei|thor|celestia|akash|secret|bnb|erd|zil|one)"
    rb"1([02-9ac-hj-np-z]{38,110})"
)
_BECH32_ALPHABET = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_SUMS = (1, 0x2BC830A3)
"""What remains of an address of BIP 173, of BIP 350."""
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def find_wallets(text: str, of_text: TextBytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of addresses, in order; `of_text` are the bytes of the text.

    Cost: that of looking for 26 letters and digits that stand together.
    """
    done = place = 0
    for start, end in of_text.find_tokens(MIN_WALLET_CHARACTERS):
        for match in _TOKEN.finditer(of_text.data, start, end):
            if _is_address(match[0]):
                place += len(of_text.data[done : match.start()].decode("utf-8", "surrogatepass"))
                done = match.start()
                yield place, place + len(match[0])


def _is_address(token: bytes) -> bool:
    if ethereum := _ETHEREUM.fullmatch(token):
        return len(set(ethereum[1].lower())) >= MIN_DIFFERENT_DIGITS
    if _MONERO.fullmatch(token):
        return True
    lowered = token.lower() if token.isupper() else token
    if bech32 := _BECH32.fullmatch(lowered):
        return _is_bech32(bech32[1], bech32[2])
    if not _BASE58_ADDRESS.fullmatch(token) or token.isalpha() or token.isdigit():
        return False
    if _is_base58_checked(token):
        return True
    return token.startswith(b"r") and _is_base58_checked(token.translate(bytes.maketrans(_RIPPLE, _BASE58)))


def _is_base58_checked(address: bytes) -> bool:
    value = 0
    for character in address:
        value = value * 58 + _BASE58.index(character)
    if value.bit_length() > MAX_BASE58_BITS:
        return False
    raw = value.to_bytes(26 if value.bit_length() > 200 else 25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def _is_bech32(prefix: bytes, data: bytes) -> bool:
    values = [character >> 5 for character in prefix] + [0] + [character & 31 for character in prefix]
    values += [_BECH32_ALPHABET.index(character) for character in data]
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            remainder ^= generator if top >> bit & 1 else 0
    return remainder in _BECH32_SUMS
