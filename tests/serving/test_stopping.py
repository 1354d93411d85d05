"""A service of two processes is told to stop: it says so, ends what is under way, and loses nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from tests.serving.models.test_hot_swap import call, wait_until

pytestmark = pytest.mark.long


@pytest.fixture
def server(own_school):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "REGROUP_DRAIN_SECONDS": "1.5"}
    command = [sys.executable, "-m", "serving", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: state_of(address) == 200)
        yield process, address
    finally:
        process.kill()
        process.wait(timeout=30)


def state_of(address):
    try:
        return urllib.request.urlopen(f"{address}/readyz", timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def test_a_stop_drains_and_metrics_are_of_all_processes(own_school, server):
    process, address = server
    for _ in range(12):  # of whichever process
        call(f"{address}/v1/models", headers=own_school.headers)
    metrics = urllib.request.urlopen(f"{address}/metrics", timeout=10).read().decode()
    answered = re.search(r'regroup_requests_total{method="GET",route="/v1/models",status="200"} (\S+)', metrics)
    made = []
    body = {"team_id": own_school.team_ids[0], "date": "2026-03-16", "seconds": 2.5}
    asker = threading.Thread(
        target=lambda: made.append(call(f"{address}/v1/recommendations", body, own_school.headers))
    )
    asker.start()
    time.sleep(0.5)  # the plan is under way

    process.send_signal(signal.SIGTERM)
    wait_until(lambda: state_of(address) == 503)
    models = call(f"{address}/v1/models", headers=own_school.headers)
    asker.join()

    assert float(answered[1]) == 12
    assert models["students"] > 0  # what a load balancer still sends is answered
    assert made[0]["sessions"]
    assert process.wait(timeout=30) in (0, -signal.SIGTERM)
    assert state_of(address) is None
