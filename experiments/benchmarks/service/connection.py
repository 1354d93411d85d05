"""One kept-open HTTP/1.1 connection over a bare socket, so that the one who asks costs little beside who answers."""

import socket
from dataclasses import dataclass

LONGEST_S = 120
"""For one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: Of HTTP.
        headers: By lower-case name.
        body: As sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """Asks one server on this machine, one request after the other; opens again after a break.

    Args:
        port: Of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Sends a request and reads the answer.

        Raises:
            OSError: The connection was refused or broke; nothing is known of the request.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=LONGEST_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._rest = b""
            self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = self._read()
        except OSError:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Closes it; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self) -> Answer:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        while len(self._rest) < size:
            self._more()
        body, self._rest = self._rest[:size], self._rest[size:]
        return Answer(int(first.split()[1]), headers, body)

    def _more(self) -> None:
        assert self._socket is not None
        part = self._socket.recv(2**18)
        if not part:
            raise ConnectionResetError("the server closed the connection before it had answered")
        self._rest += part
