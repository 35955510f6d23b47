"""Fetching: what became of every URL, by real servers on loopback."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator

from corpus.errors import UserError
from corpus.web.fetch.address_guard import AddressGuard
from corpus.web.fetch.crawl import fetch_list
from tests.web.fetch.site import TEXTS, options, served, write_list


def fetched(folder: Path, urls: list[str], **given: object) -> dict[str, dict[str, Any]]:
    """The ledger of a fetch, by URL."""
    listed = write_list(folder / "urls.parquet", urls)
    fetch_list(listed, str(folder / "out"), options(**given))
    rows = pq.read_table(folder / "out" / "ledger.parquet").to_pylist()
    assert [row["url"] for row in rows] == urls
    return {row["url"]: row for row in rows}


def test_every_url_has_an_outcome_and_a_reason(tmp_path: Path) -> None:
    with served() as site:
        wanted = {
            "/page/zh": "fetched",
            "/gzip/ja": "fetched",
            "/chunked/ar": "fetched",
            "/to/page/hi": "fetched",
            "/busy": "fetched",
            "/status/404": "status",
            "/status/500": "status",
            "/image": "content_type",
            "/huge": "size",
            "/endless": "size",
            "/slow": "timeout",
            "/trickle": "timeout",
            "/cut": "protocol",
            "/circle/a": "redirects",
            "/chain/0": "redirects",
            "/far/http://169.254.169.254/latest/meta-data/": "address",
            "/far/http://[::ffff:10.0.0.1]/": "address",
            "/far/file:///etc/passwd": "address",
        }
        urls = [site.url(f"host{at}.example", path) for at, path in enumerate(wanted)]
        rows = fetched(tmp_path, urls)
    outcomes = {path: rows[url]["outcome"] for path, url in zip(wanted, urls, strict=True)}
    assert outcomes == wanted
    assert all(row["reason"] for row in rows.values() if row["outcome"] not in ("fetched", "status"))
    assert {row["status"] for row in rows.values() if row["outcome"] == "status"} == {404, 500}
    assert site.agents == {"corpus-fetch/0.1 (+mailto:crawl@example.org)"}
    assert max(site.most_open.values()) == 1


def test_robots_of_every_kind(tmp_path: Path) -> None:
    with served() as site:
        wanted = {
            ("forbids.example", "/page/en"): ("robots", "disallowed"),
            ("partly.example", "/page/ru"): ("robots", "disallowed"),
            ("partly.example", "/page/th"): ("fetched", "allowed"),
            ("names.example", "/page/en"): ("robots", "disallowed"),
            ("broken.example", "/page/en"): ("robots", "unreachable"),
            ("secret.example", "/page/en"): ("fetched", "none"),
            ("moved.example", "/page/en"): ("robots", "disallowed"),
            ("strange.example", "/page/ru"): ("robots", "disallowed"),
            ("strange.example", "/page/zh"): ("fetched", "allowed"),
            ("large.example", "/page/zh"): ("fetched", "allowed"),
            ("packed.example", "/page/ru"): ("robots", "disallowed"),
            ("packed.example", "/page/hi"): ("fetched", "allowed"),
            ("garbled.example", "/page/en"): ("robots", "unreachable"),
            ("bomb.example", "/page/en"): ("robots", "unreachable"),
            ("ages.example", "/page/en"): ("crawl_delay", "allowed"),
            ("nowhere.example", "/page/en"): ("robots", "unreachable"),
            ("patient.example", "/page/zh"): ("crawl_delay", "allowed"),
            ("free.example", "/far/http://forbids.example:PORT/page/en"): ("robots", "disallowed"),
        }
        urls = [site.url(host, path.replace("PORT", str(site.port))) for host, path in wanted]
        rows = fetched(tmp_path, urls)
        asked = dict(site.asked)
    found = [(rows[url]["outcome"], rows[url]["robots"]) for url in urls]
    assert dict(zip(wanted, found, strict=True)) == wanted
    assert ("forbids.example", "/page/en") not in asked
    assert asked["partly.example", "/robots.txt"] == 1
    with open(tmp_path / "out" / "fetch-00000.warc.gz", "rb") as stream:
        truncated = [
            record.rec_headers.get_header("WARC-Target-URI")
            for record in ArchiveIterator(stream)
            if record.rec_headers.get_header("WARC-Truncated") == "length"
        ]
    assert truncated == [site.url("large.example", "/robots.txt")]
    robots = {row["origin"]: row for row in pq.read_table(tmp_path / "out" / "robots.parquet").to_pylist()}
    assert robots[site.url("patient.example", "")]["delay"] == 86400
    assert robots[site.url("broken.example", "")]["reason"] == "status 500"


def test_a_host_is_asked_for_one_page_at_a_time_with_its_crawl_delay_between(tmp_path: Path) -> None:
    with served() as site:
        urls = [site.url("delays.example", f"/page/{language}") for language in ("zh", "th", "ru")]
        urls += [site.url("other.example", f"/to/far/http://delays.example:{site.port}/page/en")]
        fetched(tmp_path, urls)
        times = site.times["delays.example"]
    gaps = [later - earlier for earlier, later in pairwise(times[1:])]
    assert len(gaps) == 3 and min(gaps) >= 0.49
    assert site.most_open["delays.example"] == 1


def test_the_rate_holds_for_all_hosts_together(tmp_path: Path) -> None:
    with served() as site:
        fetched(tmp_path, [site.url(f"h{number}.example", "/page/zh") for number in range(10)], rate=20)
        times = sorted(at for of_host in site.times.values() for at in of_host)
    assert len(times) == 20 and times[-1] - times[0] >= 0.9


def test_loopback_is_closed_unless_it_is_opened_and_names_that_lead_there_are_no_way_in(
    tmp_path: Path,
) -> None:
    with served() as site:
        urls = [
            site.url("127.0.0.1", "/page/en"),
            site.url("2130706433", "/page/en"),
            site.url("127.1", "/page/en"),
            site.url("[::1]", "/page/en"),
            site.url("localhost", "/page/en"),
            site.url("rebinds.example", "/page/en"),
        ]
        rows = fetched(tmp_path, urls, allow_addresses=[], resolve={"rebinds.example": "127.0.0.1"})
        assert not site.asked
    assert {row["outcome"] for row in rows.values()} == {"address"}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fec0::1", False),
        ("5f00::1", False),
        ("3fff::1", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b:1::8.8.8.8", False),
        ("192.0.0.192", False),
        ("192.88.99.1", False),
        ("not an address", False),
    ],
)
def test_the_guard_knows_public_addresses(address: str, public: bool) -> None:
    assert AddressGuard().allows(address) is public
    if not public and address[0].isdigit() and ":" not in address:
        assert AddressGuard([f"{ipaddress.ip_address(address)}/32"]).allows(address)


def test_records_are_standard_warc_and_the_ledger_places_them(tmp_path: Path) -> None:
    with served() as site:
        urls = [site.url("one.example", "/gzip/zh"), site.url("two.example", "/chunked/th")]
        rows = fetched(tmp_path, urls)
    path = tmp_path / "out" / "fetch-00000.warc.gz"
    with open(path, "rb") as stream:
        found = [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.digest_checker.passed)
            for record in ArchiveIterator(stream, check_digests=True)
            if record.content_stream().read() is not None
        ]
    kinds = Counter(kind for kind, _, _ in found)
    assert kinds == {"warcinfo": 1, "response": 4, "request": 4}
    assert all(passed for kind, _, passed in found if kind == "response")
    for url, text in zip(urls, (TEXTS["zh"], TEXTS["th"]), strict=True):
        with open(path, "rb") as stream:
            stream.seek(rows[url]["offset"])
            record = next(iter(ArchiveIterator(stream)))
            body = record.content_stream().read().decode()
            length = stream.tell()
        assert record.rec_headers.get_header("WARC-Target-URI") == url
        assert record.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"
        assert text in body and length


def test_a_host_that_is_gone_or_wants_to_be_left_alone_is_given_up(tmp_path: Path) -> None:
    with served() as site:
        urls = [site.url("away.example", "/away"), site.url("away.example", "/page/en")]
        urls += [f"http://gone.example:1/{number}" for number in range(2)]
        urls += ["http://no-such-name.invalid/", "ftp://a.example/", "http://", "https://bad.example:99999/"]
        rows = fetched(tmp_path, urls, resolve={"away.example": "127.0.0.1", "gone.example": "127.0.0.1"})
        assert ("away.example", "/page/en") not in site.asked
    assert [rows[url]["outcome"] for url in urls] == [
        "status",
        "host",
        "connect",
        "host",
        "dns",
        "address",
        "address",
        "address",
    ]


def test_a_closed_port_says_nothing_of_the_others(tmp_path: Path) -> None:
    with served() as site:
        urls = ["http://both.example:1/page/en", "http://both.example:1/page/ru"]
        urls.append(site.url("both.example", "/page/zh"))
        rows = fetched(tmp_path, urls)
    assert [rows[url]["outcome"] for url in urls] == ["connect", "host", "fetched"]


def test_a_full_disk_ends_the_run_with_one_line_and_it_goes_on(tmp_path: Path) -> None:
    with served() as site:
        urls = [site.url(f"h{number}.example", "/page/zh") for number in range(40)]
        listed = write_list(tmp_path / "urls.parquet", urls)
        command = [
            sys.executable,
            "-m",
            "corpus.pipelines.cli",
            "fetch",
            listed,
            "--out",
            str(tmp_path / "out"),
        ]
        command += ["--contact", "mailto:crawl@example.org", "--allow-address", "127.0.0.0/8"]
        command += ["--resolve", "*:127.0.0.1", "--delay", "0", "--rate", "1000", "--json"]
        limited = ["bash", "-c", 'ulimit -f 16 && exec "$@"', "bash", *command]  # kilobytes a file
        full = subprocess.run(limited, capture_output=True, text=True)
        done = subprocess.run(command, capture_output=True, text=True)
    assert full.returncode == 1 and len(full.stderr.strip().splitlines()) == 1, full.stderr
    assert "File too large: resume with the same command" in full.stderr
    assert json.loads(done.stdout) == {"fetched": 40}, done.stderr


def certificate(folder: Path, host: str, days: int = 2) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / f"{host}{days}.pem", folder / f"{host}{days}.key"
    certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_path, key_path


def test_tls_is_checked(tmp_path: Path) -> None:
    good, expired = certificate(tmp_path, "good.example"), certificate(tmp_path, "good.example", days=-1)
    outcomes = {}
    for name, pair in (("good", good), ("expired", expired)):
        (tmp_path / name).mkdir()
        with served(certificate=pair) as site:
            urls = [site.url("good.example", "/page/zh"), site.url("wrong.example", "/page/zh")]
            rows = fetched(tmp_path / name, urls, ca_file=str(pair[0]))
        outcomes[name] = [rows[url]["outcome"] for url in urls]
    assert outcomes == {"good": ["fetched", "tls"], "expired": ["tls", "tls"]}


def test_a_thousand_hosts_by_name_on_one_core(tmp_path: Path) -> None:
    with served(latency=0.2) as site:
        urls = [site.url(f"h{number}.example", "/page/zh") for number in range(1000)]
        began = time.monotonic()
        rows = fetched(tmp_path, urls, hosts=500, timeout=30, read_timeout=30)
        took = time.monotonic() - began
    assert {row["outcome"] for row in rows.values()} == {"fetched"}
    assert max(site.most_open.values()) == 1
    # Two requests each that take 0.2 s: one after the other they would take 400 s.
    assert took < 60


def test_a_killed_fetch_goes_on_and_asks_for_no_finished_page_again(tmp_path: Path) -> None:
    with served(latency=0.05) as site:
        urls = [site.url(f"h{number % 20}.example", f"/page/zh?{number}") for number in range(300)]
        listed = write_list(tmp_path / "urls.parquet", urls)
        out = tmp_path / "out"
        command = [sys.executable, "-m", "corpus.pipelines.cli", "fetch", listed, "--out", str(out)]
        command += ["--contact", "mailto:crawl@example.org", "--allow-address", "127.0.0.0/8"]
        command += ["--resolve", "*:127.0.0.1", "--delay", "0", "--rate", "1000", "--retries", "0", "--json"]
        kills = 0
        for _ in range(2):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = site.asked.total()
            while site.asked.total() < before + 100 and process.poll() is None:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        asked = Counter({path: count for (_, path), count in site.asked.items() if path != "/robots.txt"})
    assert kills == 2
    rows = pq.read_table(out / "ledger.parquet").to_pylist()
    assert {row["outcome"] for row in rows} == {"fetched"}
    # Again only for what was under way: twenty hosts, one page each.
    assert sum(count - 1 for count in asked.values()) <= kills * 20
    stored = Counter[str]()
    for name in sorted(os.listdir(out)):
        if name.endswith(".warc.gz"):
            with open(out / name, "rb") as stream:
                for record in ArchiveIterator(stream):
                    if record.rec_type == "response":
                        stored[record.rec_headers.get_header("WARC-Target-URI")] += 1
    assert {stored[url] for url in urls} == {1}


def test_another_list_needs_another_folder(tmp_path: Path) -> None:
    with served() as site:
        fetched(tmp_path, [site.url("a.example", "/page/zh")])
        asked = site.asked.total()
        fetched(tmp_path, [site.url("a.example", "/page/zh")])
        assert site.asked.total() == asked
        with pytest.raises(UserError, match="another list"):
            fetched(tmp_path, [site.url("b.example", "/page/zh")])


def test_what_is_no_list_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("http://example.org/")
    with pytest.raises(
        UserError, match="text: not a list of URLs in Parquet: `corpus urls` makes one, or write"
    ):
        fetch_list(str(tmp_path / "text"), str(tmp_path / "out"), options())
    assert not (tmp_path / "out").exists()


def test_after_a_crash_of_the_machine_only_what_is_whole_counts(tmp_path: Path) -> None:
    with served() as site:
        urls = [site.url(f"h{number}.example", "/page/zh") for number in range(6)]
        fetched(tmp_path, urls)
        journal, warc = tmp_path / "out" / "journal.jsonl", tmp_path / "out" / "fetch-00000.warc.gz"
        whole = warc.read_bytes()
        lines = journal.read_bytes().splitlines(keepends=True)
        pages = [line for line in lines if line.startswith(b'{"kind": "url"')]
        # The last page's line is torn, and the one before it names bytes that never reached the disk.
        before = json.loads(pages[-2])
        journal.write_bytes(b"".join(lines[: lines.index(pages[-1])]) + pages[-1][:40] + b"\x00" * 20)
        warc.write_bytes(whole[: before["offset"] + 10])
        (tmp_path / "out" / "ledger.parquet").unlink()
        site.asked.clear()
        rows = fetched(tmp_path, urls)
        again = {host for host, path in site.asked if path != "/robots.txt"}
    assert {row["outcome"] for row in rows.values()} == {"fetched"}
    assert {json.loads(line)["url"].split(":")[1].strip("/") for line in pages[-2:]} <= again and len(
        again
    ) < 6
    with open(warc, "rb") as stream:
        found = Counter(
            r.rec_headers.get_header("WARC-Target-URI")
            for r in ArchiveIterator(stream)
            if r.rec_type == "response"
        )
    assert {found[url] for url in urls} == {1}
