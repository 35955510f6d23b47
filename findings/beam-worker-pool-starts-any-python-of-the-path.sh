#!/usr/bin/env bash
# Beam's worker pool starts its workers with whatever `python` comes first on PATH, and reads nothing that they print.
#
# Expected: `venv/bin/python -m apache_beam.runners.worker.worker_pool_main` starts workers with that interpreter
#   (sys.executable), so that they have the packages of its environment; and a worker may print to standard output.
# Happens: it runs the command `python -c ...`. Started by its full path, without the environment activated, it starts
#   another Python or none, and says to the engine that the worker has started; the engine waits for it. Its standard
#   output is a pipe that nobody reads: a worker that prints more than 64 KiB stands still.
# Matters: clusters without containers (`--environment_type=EXTERNAL` on Flink, Spark, Prism): activate the environment
#   before the pool, and let no worker print.
# Versions: apache-beam 2.77.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "apache-beam==2.77.0" 2>/dev/null
mkdir "$folder/path"
printf '#!/bin/sh\necho "another python" >"%s/started"\nexec sleep 2\n' "$folder" > "$folder/path/python"
chmod +x "$folder/path/python"
cat > "$folder/probe.py" <<'PYTHON'
import subprocess
import sys
import time
from pathlib import Path

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

started = []
begin = subprocess.Popen


def watch(command, **options):
    started.append((command[0], options.get("stdout") == subprocess.PIPE))
    return begin(command, **options)


subprocess.Popen = watch
address, server = BeamFnExternalWorkerPoolServicer.start(use_process=True)
pool = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(grpc.insecure_channel(address))
request = beam_fn_api_pb2.StartWorkerRequest(
    worker_id="one", control_endpoint=endpoints_pb2.ApiServiceDescriptor(url="localhost:1")
)
answer = pool.StartWorker(request)
time.sleep(1)
print("interpreter of the pool:", Path(sys.executable).name, "of", Path(sys.executable).parent.parent.name)
print("command of the worker:", started[0][0])
print("its output is a pipe:", started[0][1])
print("error that the engine is told:", repr(answer.error))
print("started:", Path(sys.argv[1], "started").read_text().strip())
server.stop(0)
PYTHON
shown=$(PATH="$folder/path:$PATH" "$folder/venv/bin/python" "$folder/probe.py" "$folder" 2>/dev/null)
echo "$shown"
[ "$shown" = "interpreter of the pool: python of venv
command of the worker: python
its output is a pipe: True
error that the engine is told: ''
started: another python" ]
