"""Connections to a real server of a small application: what never ends is refused, and others are answered."""

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn

from serving import connections
from serving.connections import FILES_APART, HEAD_BYTES, HEADERS, PIPELINED, Connections, allow_connections
from tests.serving.models.test_hot_swap import wait_until

MOST = 8


async def read_all(scope, receive, send):
    """Answers with the number of bytes of the body; at /now before it is read, and at /long with much text."""
    size, more = 0, scope["path"] != "/now"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    if scope["path"] == "/hold":
        await asyncio.sleep(0.5)
    text = b"x" * 2**25 if scope["path"] == "/long" else str(size).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
def server(monkeypatch):
    for name, seconds in {"HEAD_S": 0.4, "BODY_S": 0.6, "ANSWER_S": 0.6}.items():
        monkeypatch.setattr(connections, name, seconds)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            read_all, http=Connections(MOST), ws="none", lifespan="off", log_level="critical", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        wait_until(lambda: server.started)
        yield server
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def port(server):
    return server.servers[0].sockets[0].getsockname()[1]


@contextmanager
def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


def receive(connection):
    """The status and the body of one answer; None where the connection was closed without one."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = connection.recv(2**16)
        if not part:
            return None
        text += part
    head, body = text.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(2**16)
    return int(head.split()[1]), body.decode()


def ask(port, text=b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"):
    with connect(port) as connection:
        connection.sendall(text)
        return receive(connection)


def is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)


def flood(port, start, piece, most=2**27):
    """Sends pieces after a start until the connection is refused; how many bytes it took, and the answer if it came."""
    with connect(port) as connection:
        sent = 0
        try:
            connection.sendall(start)
            while sent < most:
                connection.sendall(piece)
                sent += len(piece)
            answer = receive(connection)
        except OSError:
            answer = None
        return sent, answer


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET /a HTTP/1.1\r\nHost: a\r\nX-A: ", b"a" * 1000),
        (b"GET /a HTTP/1.1\r\nHost: a\r\nX-A", b"a" * 1000),
        (b"GET /a HTTP/1.1\r\nHost: a\r\n", b"X-A: aaaa\r\n" * 50),
        (b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"a" * 1000),
        (b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 1000),
        (b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;aaaaaa\r\nb\r\n" * 100),
    ],
    ids=["address", "header", "name", "headers", "trailer", "extension", "chunks"],
)
def test_what_never_ends_is_refused_after_few_bytes(port, start, piece):
    sent, answer = flood(port, start, piece)

    assert sent < 2**24  # all that the system's own buffers of a connection take
    assert answer is None or (answer[0], json.loads(answer[1])["rule"]) == (431, "head_too_large")
    assert ask(port) == (200, "0")


@pytest.mark.parametrize("piece", [1, 100, 10**6])
def test_a_head_is_measured_the_same_in_whatever_pieces_it_comes(port, piece):
    def send(text):
        with connect(port) as connection:
            for at in range(0, len(text), piece):
                connection.sendall(text[at : at + piece])
            return receive(connection)[0]

    frame = b"GET /a HTTP/1.1\r\nHost: a\r\nX-A: "
    most = 10 * piece if piece == 1 else HEAD_BYTES - len(frame) - 8

    assert send(frame + b"a" * most + b"\r\n\r\n") == 200
    assert piece == 1 or send(frame + b"a" * (HEAD_BYTES + 1) + b"\r\n\r\n") == 431


def test_many_headers_are_refused_and_usual_ones_are_not(port):
    def send(count):
        lines = b"".join(b"X-%d: a\r\n" % at for at in range(count))
        return ask(port, b"GET /a HTTP/1.1\r\n" + lines + b"\r\n")

    assert send(HEADERS)[0] == 200
    assert send(HEADERS + 1)[0] == 431


def test_large_bodies_chunks_and_several_requests_in_one_piece_are_read_whole(port):
    body = b"b" * 10**6
    plain = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + body
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (body[at : at + 500] for at in range(0, 10**6, 500))
    )
    chunked = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-End: a\r\n\r\n"

    with connect(port) as connection:
        for _ in range(3):
            connection.sendall(plain)
            assert receive(connection) == (200, "1000000")
            connection.sendall(chunked)
            assert receive(connection) == (200, "1000000")
        connection.sendall(plain + b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n")
        assert receive(connection) == (200, "1000000")
        connection.sendall(b"\r\nabc")
        assert receive(connection) == (200, "3")


def test_a_body_that_is_not_wanted_is_read_in_pauses(port, monkeypatch):
    body = b"b" * 2**21
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(b"POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert receive(connection) == (200, "0")
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert receive(connection) == (200, "0")
        monkeypatch.setattr(connections, "BODY_S", 60.0)
        monkeypatch.setattr(connections, "DROP_PAUSE_S", 60.0)
        connection.sendall(b"POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % 2**26)
        assert receive(connection) == (200, "0")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.sendall(b"b" * 2**26)


def test_few_requests_wait_on_a_connection(port, server):
    with connect(port) as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" * (PIPELINED + 1))
        assert [receive(connection) for _ in range(2)] == [(200, "0")] * 2
    with connect(port) as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" * 5000)
        try:
            answer = receive(connection)
        except OSError:
            answer = None
        assert answer is None
    wait_until(lambda: not server.server_state.connections)
    assert ask(port) == (200, "0")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX-A: a",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    ],
    ids=["nothing", "head", "body", "refused body"],
)
def test_a_request_that_does_not_come_in_is_ended(port, text):
    begun = time.monotonic()
    answer = ask(port, text)

    assert answer[0] == (200 if b"/now" in text else 408)
    assert time.monotonic() - begun < 3
    if b"/now" in text:
        with connect(port) as connection:
            connection.sendall(text)
            assert receive(connection)[0] == 200
            connection.sendall(b"d")  # the rest of the body never follows
            answer = receive(connection)
            assert answer is None or answer[0] == 408


def test_an_answer_that_is_not_read_is_given_up(port, server):
    with connect(port) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        assert len(server.server_state.connections) == 1

        wait_until(lambda: not server.server_state.connections)
        wait_until(lambda: not server.server_state.tasks)


def test_of_too_many_connections_the_one_that_waits_longest_is_closed_and_all_others_are_answered(port):
    with ExitStack() as stack:
        served = stack.enter_context(connect(port))
        served.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert receive(served) == (200, "0")
        half_open = [stack.enter_context(connect(port)) for _ in range(MOST - 1)]
        for connection in half_open:
            connection.sendall(b"GET /a HTTP/1.1\r\n")

        for _ in range(3):
            further = stack.enter_context(connect(port))
            further.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert receive(further) == (200, "0")
        time.sleep(0.05)

        assert [is_open(connection) for connection in half_open] == [False] * 3 + [True] * (MOST - 4)
        served.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert receive(served) == (200, "0")


def test_a_request_under_way_is_never_closed_for_others_and_they_are_told_to_come_again(port):
    with ExitStack() as stack:
        held = [stack.enter_context(connect(port)) for _ in range(MOST)]
        for connection in held:
            connection.sendall(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)

        status, body = ask(port)

        assert (status, json.loads(body)["rule"]) == (503, "no_room")
        assert [receive(connection) for connection in held] == [(200, "0")] * MOST
    assert ask(port) == (200, "0")


def test_connections_leave_files_for_everything_else(monkeypatch):
    limits = [256, 1024]
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _, new: limits.__setitem__(slice(2), new))

    assert allow_connections(1000) == 512
    assert limits == [1024, 1024]
    limits[:] = [1024, 10**6]
    assert allow_connections(1000) == (1000 + FILES_APART) // 2
    assert limits == [1000 + FILES_APART, 10**6]
