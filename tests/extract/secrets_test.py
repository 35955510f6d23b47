"""Secrets and e-mail addresses in code: what is replaced, what is left alone, and at what cost."""

from __future__ import annotations

import time

import pytest

from corpus.document import Record
from corpus.extract import extract
from corpus.extract.secrets import redact_secrets
from corpus.extract.source_code import decode_source

RANDOM = "q8Zr3Lm9Xw2Tn5Vb7Yc1"
PEM = "MIIEpAIBAAKCAQEA75u8k1nf0q2LZs1g2v9d9f8s7d6f5s4d3f2s1d0f9s8d7f6s"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'api_key = "{RANDOM}"', 'api_key = "<KEY>"'),
        (f"apiKey: '{RANDOM}',", "apiKey: '<KEY>',"),
        (f"SECRET_TOKEN={RANDOM}\nx", "SECRET_TOKEN=<KEY>\nx"),
        (f'client_secret => b"{"9f86d081884c7d659a2feaa0c55ad015"}"', 'client_secret => b"<KEY>"'),
        ('API_KEY = "AKIAR7ONE0DFTQ9NBL0W"', 'API_KEY = "<KEY>"'),
        ("secret: 'ORZ7Q0K2MB9TXW4LPD8V'", "secret: '<KEY>'"),
        ("ACCESS_KEY=R7Q0K2MB9TXW4LPD8VHN\n", "ACCESS_KEY=<KEY>\n"),
        ('password: "hunter2!"', 'password: "<PASSWORD>"'),
        ('пароль = "Ж3лезо!9x"', 'пароль = "<PASSWORD>"'),
        ('密码 = "Zh0ng!wen9"', '密码 = "<PASSWORD>"'),
        ("postgres://bob:s3cr3t@db.host.org/x", "postgres://bob:<PASSWORD>@db.host.org/x"),
        ("x = 'AKIA" + "Q4XZP7RTN2WLM5KD'", "x = '<KEY>'"),
        ("ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "<KEY>"),
        ("https://hooks.slack.com/services/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",
         "https://hooks.slack.com/services/<KEY>"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5ODc2NTQzMjEwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9 b", "a <KEY> b"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\nabc=\n-----END RSA PRIVATE KEY-----",
         "-----BEGIN RSA PRIVATE KEY-----<KEY>-----END RSA PRIVATE KEY-----"),
        (f'"-----BEGIN PRIVATE KEY-----\\n{PEM}\\n-----END PRIVATE KEY-----"',
         '"-----BEGIN PRIVATE KEY-----<KEY>-----END PRIVATE KEY-----"'),
        ("// 请联系zhang.wei@mail.cn，谢谢", "// 请联系<EMAIL>，谢谢"),
        ("Иван <ivan+git@почта.рф> ivan@yandex.ru", "Иван <ivan+git@почта.рф> <EMAIL>"),
        ("# Maintainer: 山田 <yamada@dept.univ.ac.jp>", "# Maintainer: 山田 <<EMAIL>>"),
        ("<a href='mailto:a_b%c@x-y.co.uk'>", "<a href='mailto:<EMAIL>'>"),
        ('"hello\\nbob@example.org wrote"', '"hello\\n<EMAIL> wrote"'),
        ("'\\tann@corp.io\\u3000山田@x\\u3000yamada@corp.io'", "'\\t<EMAIL>\\u3000山田@x\\u3000<EMAIL>'"),
        ("C:\\\\nick@corp.io, D:\\zoe@corp.io", "C:\\\\<EMAIL>, D:\\<EMAIL>"),
    ],
)  # fmt: skip
def test_secrets_and_addresses_become_placeholders(text: str, expected: str) -> None:
    assert redact_secrets(text)[0] == expected
    assert redact_secrets(f"é\n{text}")[0] == f"é\n{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "token = settings.API_KEY_V2_PRODUCTION",
        'secret_key = os.environ["SECRET_KEY"]',
        'token = "SHA256WITHRSAENCRYPTION"',
        'token_type = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"',
        'api_key = "GOOGLEMAPS2KEY"',
        'access_key = "THEACCESSKEYOFTHESERVICE"',
        'password = getpass("Password: ")',
        '"password": "{{ vault_password_1 }}"',
        'password = "changeme1!"',
        'pwd = "/home/user1/dir"',
        'tokenTypes = "identifier-2-operator-3"',
        "private_key: ed25519.Ed25519PrivateKey,",
        '"integrity": "sha512-q8Zr3Lm9Xw2Tn5Vb7Yc1q8Zr3Lm9Xw2Tn5Vb7Yc1=="',
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "access_key: AKIAIOSFODNN7EXAMPLE",
        "commit 5f1d7a84db00d2fce00b31a7fc73224f97fda5f8",
        'if s.startswith("-----BEGIN RSA PRIVATE KEY-----") and s.endswith("-----END RSA PRIVATE KEY-----"):',
        "git@github.com:team/sort.git",
        "y = a@b.T + w@x.reshape(3)",
        "lodash@4.17.21 @types/node@20.1.0 @app.route",
        "https://example.org:8080/@name",
        "postgres://u:pw@host.example.org/db",
        "https://user:${PASSWORD}@host.example.org/",
        "amqp://guest:guest_password@mq.example.org:5672",
        "パスワードを入力してください。",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redact_secrets(text) == (text, 0, 0)


def test_they_are_counted_and_the_placeholders_are_always_the_same() -> None:
    line = f'password = "hunter2!"; api_key = "{RANDOM}"  # a@mail.org, b@mail.org\n'
    text, secrets, emails = redact_secrets(line * 3)
    assert (secrets, emails) == (6, 6)
    assert text == 'password = "<PASSWORD>"; api_key = "<KEY>"  # <EMAIL>, <EMAIL>\n' * 3
    assert redact_secrets(text) == (text, 0, 0)


@pytest.mark.parametrize(
    "piece",
    [
        "@a",
        "@a.a.a.com",
        "-----BEGIN RSA PRIVATE KEY-----",
        "token",
        'token="',
        "eyJ",
        "xoxa-",
        "://a:b",
        "://",
        "a.",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    def seconds(size: int) -> float:
        begun = time.process_time()
        redact_secrets(piece * (size // len(piece)))
        return time.process_time() - begun

    seconds(1000)
    assert seconds(400_000) < 4 * 16 * max(seconds(25_000), 0.002)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a\r\n\tb  \r\n\r\n\r\n\r\nc\rd\n", "a\n\tb  \n\n\n\nc\nd\n"),
        (b"\xef\xbb\xbfx = 1", "x = 1"),
        ("x = '\u200b\u00a0\u3000\u202e'\f\x1b\n".encode(), "x = '\u200b\u00a0\u3000\u202e'\f\x1b\n"),
        ("e\u0301 = 1\n".encode(), "e\u0301 = 1\n"),
        ("# -*- coding: koi8-r -*-\n# привет, мир\n".encode("koi8-r"), "# -*- coding: koi8-r -*-\n# привет, мир\n"),
        ("# vim: set fileencoding=latin-1 :\n# é\n".encode("latin-1"), "# vim: set fileencoding=latin-1 :\n# é\n"),
        ("// 这是一个测试程序，用来检查编码\n".encode("utf-16"), "// 这是一个测试程序，用来检查编码\n"),
    ],
)  # fmt: skip
def test_nothing_but_line_ends_and_the_byte_order_mark_changes(body: bytes, text: str) -> None:
    assert decode_source(body) == text


def test_a_text_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="a NUL character at 1: this is no text"):
        extract(
            Record(native_id="a", file="a", offset=0, length=3, media_type="text/x-code", body=b"a\0b"),
            "fast",
        )
