"""Servers are waited for as long as their processes live, and what is waited for is said."""

import sys

import pytest

from experiments.benchmarks.service import processes
from experiments.benchmarks.service.processes import ServerError, free_port, run_server

SLOW = """
import http.server, json, sys, time
time.sleep(0.5)
begun = time.monotonic()

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = time.monotonic() - begun > 1.0
        body = json.dumps({"detail": "the service is starting: loading the model"}).encode()
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/problem+json")
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
"""A process that listens late and is ready later still."""


def test_a_server_that_lives_is_waited_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(processes, "PROGRESS_S", 0.1)
    port = free_port()

    with run_server([sys.executable, "-c", SLOW, str(port)], {}, port, "/readyz", tmp_path / "log") as server:
        assert server.process.poll() is None

    shown = capsys.readouterr().out
    assert "it does not listen yet" in shown
    assert "loading the model" in shown
    assert server.process.poll() is not None


def test_a_server_that_ended_is_an_error_with_the_end_of_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no model')"]

    with (
        pytest.raises(ServerError, match=r"ended with exit code 1: no model \(log"),
        run_server(command, {}, free_port(), "/readyz", tmp_path / "log"),
    ):
        pass
