"""Lists of addresses: memory and look-ups of 5 million hosts, beside a Python set of them, and the lists at hand.

    CORPUS_DATA=... python -m tests.benchmarks.lists_benchmark --hosts 5000000

Half of the addresses that are looked up are in the lists. The sample data's own list (EasyList) is read as users would.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from corpus.filters.url import find_url_gate
from corpus.web.block_lists.address_lists import AddressLists, describe_report, read_lists
from corpus.web.block_lists.address_set import AddressSet
from corpus.web.block_lists.options import UrlOptions
from tests.benchmarks import bench

LOOK_UPS = 200_000


def invent_hosts(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"host{number}.site{number % 99_991}.example{number % 7}.com"


def time_look_ups(look_up: Callable[[str], object], addresses: Sequence[str]) -> float:
    """Return microseconds a look-up."""
    begun = time.process_time()
    for address in addresses:
        look_up(address)
    return (time.process_time() - begun) / len(addresses) * 1e6


def find_in_set(hosts: set[str], host: str) -> bool:
    """Look up a host and those above it, as filters with a set of strings do."""
    labels = host.split(".")
    return any(".".join(labels[at:]) in hosts for at in range(len(labels)))


def main() -> None:
    options = bench.parser(__doc__)
    options.add_argument("--hosts", type=int, default=5_000_000)
    chosen = options.parse_args()
    begun = time.process_time()
    packed = AddressSet.build(invent_hosts(chosen.hosts))
    print(f"{len(packed):,} hosts packed in {time.process_time() - begun:.1f} s: {packed.bytes / 1e6:.1f} MB")
    drawn = random.Random(1).sample(range(chosen.hosts), min(LOOK_UPS, chosen.hosts))
    hosts = [
        f"www.host{at}.site{at % 99_991}.example{at % 7}.com" if at % 2 else f"host{at}.elsewhere.org"
        for at in drawn
    ]
    lists = AddressLists(packed, AddressSet.build([]))
    urls = [f"https://{host}/a/b" for host in hosts]
    with_lists = time_look_ups(lambda url: find_url_gate(url, lists), urls)
    without = time_look_ups(find_url_gate, urls)
    print(f"{time_look_ups(lambda host: packed.has(host, '/a/b'), hosts):.1f} us a look-up;", end=" ")
    print(f"the gate of addresses {with_lists:.1f} us with the lists, {without:.1f} us without")
    strings = set(invent_hosts(chosen.hosts))
    size = sys.getsizeof(strings) + sum(map(sys.getsizeof, strings))
    rate = time_look_ups(lambda host: find_in_set(strings, host), hosts)
    print(f"a Python set of strings: {size / 1e6:.1f} MB, {rate:.1f} us a look-up")
    for path in sorted((bench.sample_data() / "lists").glob("*.txt*")):
        begun = time.process_time()
        _, reports = read_lists(UrlOptions(block=[str(path)]))
        for place, report in reports.items():
            print(f"{describe_report(place.rpartition('/')[2], report)}; {time.process_time() - begun:.1f} s")


if __name__ == "__main__":
    main()
