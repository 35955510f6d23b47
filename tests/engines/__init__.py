"""Builds on other engines, from the wheel, compared with a local build: `make engines`.

differences.py  every file that differs between two workspaces
installed.py    the wheel in an environment without a checkout
processes.py    servers that are started, waited for and stopped
engines.py      Beam's own job service, Prism and Flink, on loopback
flink/          what Maven fetches for Flink, and its checksums
run.py          the table of engines
pool_test.py    a worker pool from the wheel, with the engine that Beam brings along
"""
