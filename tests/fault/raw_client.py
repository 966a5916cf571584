"""One connection to the server without a client library: bytes out, whole answers in."""
from __future__ import annotations

import socket
import struct

from server import Server

SLOW_ANSWER_S = 5.0  # far above what a loaded machine needs


class Client:
    """One connection and nothing else."""

    def __init__(self, server: Server, receive_bytes: int | None = None, timeout_s: float = SLOW_ANSWER_S) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(timeout_s)
        self.socket.connect(("127.0.0.1", server.port))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _receive(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            try:
                part = self.socket.recv(count - len(got))
            except ConnectionResetError:
                part = b""
            if not part:
                raise ConnectionError(f"closed after {len(got)} of {count} bytes")
            got += part
        return got

    def reply(self) -> bytes:
        return self._receive(struct.unpack(">i", self._receive(4))[0])

    def ask(self, frame: bytes) -> bytes:
        self.socket.sendall(frame)
        return self.reply()

    def is_closed(self) -> bool:
        """Waits for the end; False: the server answered instead."""
        try:
            return not self.socket.recv(1)
        except (ConnectionResetError, BrokenPipeError):
            return True
