#!/usr/bin/env bash
# Beam's pool of workers keeps one process an id, and two TaskManagers of Flink give theirs the same ids.
#
# Expected: two runners that each ask one pool for a worker get one each, and each stops its own.
# Happens: an id that is in use is taken all the same: the process of the first is no longer known to the pool. The
#   next StopWorker of that id, whoever sends it, ends the process of the second; another one ends nothing, also without
#   an error, and the first runs on, even after the pool has ended.
# Matters: Flink's TaskManagers count workers from 1 in every job ("1-1"). Where two on one machine share the pool at
#   localhost:50000, as `--environment_config` is the same for all, the one that is done first stops the worker of the
#   other, and the job fails with "CANCELLED: client cancelled". Each needs a machine, or a network namespace, of its
#   own.
# Versions: apache-beam 2.77.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/worker" <<'SHELL'
#!/bin/sh
for argument; do case $argument in --control_endpoint=*) runner=${argument#*=} ;; esac; done
echo $$ > "$(dirname "$0")/$runner"
exec sleep 60
SHELL
chmod +x "$folder/worker"
cat > "$folder/probe.py" <<'PYTHON'
import os
import signal
import sys
import time

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

folder = sys.argv[1]
address, server = BeamFnExternalWorkerPoolServicer.start(
    use_process=True, container_executable=f"{folder}/worker"
)
pool = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(grpc.insecure_channel(address))


def start(runner):
    """Start the worker 1-1 of a runner; return its process."""
    endpoint = endpoints_pb2.ApiServiceDescriptor(url=runner)
    request = beam_fn_api_pb2.StartWorkerRequest(
        worker_id="1-1",
        control_endpoint=endpoint,
        logging_endpoint=endpoint,
        artifact_endpoint=endpoint,
        provision_endpoint=endpoint,
    )
    answer = pool.StartWorker(request)
    while not os.path.exists(f"{folder}/{runner}") or not open(f"{folder}/{runner}").read():
        time.sleep(0.05)
    print(f"{runner}: started, error {answer.error!r}")
    return int(open(f"{folder}/{runner}").read())


def is_running(process):
    return open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"


def stop():
    answer = pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"))
    time.sleep(0.5)
    return answer.error


first, second = start("first"), start("second")
for times in (1, 2):
    error = stop()
    states = []
    for name, process in (("first", first), ("second", second)):
        try:
            states.append(f"{name} {'runs' if is_running(process) else 'ended'}")
        except FileNotFoundError:
            states.append(f"{name} ended")
    print(f"stopped {times} time(s), error {error!r}: {', '.join(states)}")
os.kill(first, signal.SIGTERM)
server.stop(0)
PYTHON
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "apache-beam==2.77.0" 2>/dev/null
shown=$("$folder/venv/bin/python" "$folder/probe.py" "$folder" 2>/dev/null)
echo "$shown"
[ "$shown" = "first: started, error ''
second: started, error ''
stopped 1 time(s), error '': first runs, second ended
stopped 2 time(s), error '': first runs, second ended" ]
