"""Count in a step at work: its only use of Beam, which is imported when it counts."""

# mypy: allow-untyped-calls

from __future__ import annotations


def increment(namespace: str, name: str, by: int) -> None:
    """Add to one of Beam's counters."""
    from apache_beam.metrics.metric import Metrics

    Metrics.counter(namespace, name).inc(by)
