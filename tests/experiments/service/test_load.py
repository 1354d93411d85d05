"""The load generator against a real server whose answers are known: it reports counts, times and breaks."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from experiments.benchmarks.service.load import UNIQUE, Connection, LoadPlan, Request, Sample, generate, quantile
from experiments.benchmarks.service.throughput import beside_search, beyond_budget, interval_of_p99, summarize_load


class Known(BaseHTTPRequestHandler):
    """Says the body back, breaks off at /break, and is busy at /busy."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[set[bytes]] = set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/break":
            self.close_connection = True
            return
        Known.seen.add(body)
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Server-Timing", "queue;dur=0.5, search;dur=1.5")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    Known.seen = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Known) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_kept_connection_gives_each_answer_and_opens_again_after_a_break(port):
    connection = Connection(port)

    assert connection.send("POST", "/", body=b"one").body == b"one"
    assert connection.send("POST", "/", body=b"x" * 10**6).body == b"x" * 10**6
    with pytest.raises(ConnectionResetError):
        connection.send("POST", "/break")
    assert connection.send("POST", "/", body=b"two").headers["content-length"] == "3"
    connection.close()


def test_load_is_counted_by_route_and_status_and_every_body_is_its_own(port):
    requests = [
        Request("good", "POST", "/", body=f"good {UNIQUE}"),
        Request("busy", "POST", "/busy"),
        Request("broken", "POST", "/break"),
    ]

    load = generate(LoadPlan(port, 2, 0.5, requests))
    figures = summarize_load(load)

    assert set(figures["statuses"]) == {"0", "200", "503"}
    assert figures["requests"] == len(load.samples) == sum(figures["statuses"].values())
    assert figures["ms"]["good"]["count"] == figures["statuses"]["200"]
    assert len(Known.seen) == figures["statuses"]["200"] + 1  # and the one empty body
    assert figures["error_share"] == pytest.approx(1 - figures["statuses"]["200"] / figures["requests"])


def test_what_a_plan_takes_beyond_its_time_leaves_the_wait_out():
    sample = Sample("plan", 0.250, 201, "queue;dur=30.0, search;dur=180.0")

    assert beyond_budget(sample) == pytest.approx(0.020)
    assert beside_search(sample) == pytest.approx(0.040)
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0


def test_the_interval_of_a_p99_is_of_the_slow_requests_and_of_equal_ones_a_point():
    assert interval_of_p99([0.005] * 300) == pytest.approx((5.0, 5.0))
    low, high = interval_of_p99([at / 1000 for at in range(1000)])
    assert 980 < low < 990 < high < 999
