"""The champion moves while requests are in flight: real server, real HTTP, real registry."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

FEW = 12

START_S = 240
"""In which a service starts, on a machine that has other work too."""


def call(address, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


@pytest.mark.long
def test_no_request_fails_and_none_mixes_versions_while_the_champion_moves(two_versions):
    """Every answer is wholly one version's: equal to what that version answers when it serves alone."""
    school, tracking, first, second = two_versions
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "REGROUP_POLL_SECONDS": "0.1", "REGROUP_PER_MINUTE": "1000000"}
    server = subprocess.Popen([sys.executable, "-m", "serving", "--port", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    body = {"team_id": school.team_ids[0], "date": "2026-03-16"}
    try:
        wait_for(address, first)
        # with few students there a plan is quick, so that many are made while the champion moves
        board = call(f"{address}/v1/teams/{school.team_ids[0]}/board", headers=school.headers)
        away = [row["student_id"] for row in board["students"]][FEW:]
        body["absences"] = [{"student_id": student} for student in away]
        alone = {first: plan_of(address, body, school.headers), second: None}
        answers, failures, stop = [], [], threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    answers.append(plan_of(address, body, school.headers))
                except (urllib.error.URLError, OSError) as error:
                    failures.append(error)

        askers = [threading.Thread(target=ask) for _ in range(2)]
        for asker in askers:
            asker.start()
        for run in (second, first, second):
            so_far = len(answers)
            tracking.promote(run)
            wait_for(address, run)
            wait_until(lambda run=run, so_far=so_far: failures or run in runs_of(answers[so_far:]))
        stop.set()
        for asker in askers:
            asker.join()
        alone[second] = plan_of(address, body, school.headers)
    finally:
        server.terminate()
        server.wait(timeout=30)

    assert failures == []
    assert runs_of(answers) == {first, second}
    assert alone[first] != alone[second]
    for answer in answers:
        assert answer == alone[answer["provenance"]["model"]["run_id"]]


def plan_of(address, body, headers):
    plan = call(f"{address}/v1/recommendations", body, headers)
    return {name: value for name, value in plan.items() if name not in ("id", "created_at")}


def runs_of(answers):
    return {answer["provenance"]["model"]["run_id"] for answer in answers}


def wait_until(done, within_s=60):
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(address, run_id):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if call(f"{address}/readyz")["run_id"] == run_id:
                return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"the service did not come to serve {run_id}")
