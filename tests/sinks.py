"""Where notifications end up in tests: real servers on loopback ports of their own."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from forecasting.pipeline import delivery as notify


@contextmanager
def http_sink(status: int = 200) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A server that keeps every JSON document it is sent and answers with `status`: its port, and the documents."""
    kept: list[dict[str, Any]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing on the terminal."""

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Keep)) as port:
        yield port, kept


@contextmanager
def mail_sink(*, refuses: bool = False) -> Iterator[tuple[int, list[Message]]]:
    """The least of a mail server: its port, and the messages that it has taken."""
    kept: list[Message] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 sink")
            while line := self.rfile.readline().strip():
                command = line[:4].upper()
                if command == b"RCPT" and refuses:
                    self.say("550 no such person")
                elif command == b"DATA":
                    self.say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    kept.append(message_from_bytes(b"".join(lines), policy=default))
                    self.say("250 taken")
                elif command == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 sink")

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)) as port:
        yield port, kept


@contextmanager
def hanging_sink() -> Iterator[int]:
    """A server that takes connections and never says a word: its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def wait_long_for_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a delivery take as long as a busy machine needs: only a target that hangs ever uses it up."""
    monkeypatch.setattr(notify, "SECONDS", 300.0)
    monkeypatch.setattr(notify, "SECONDS_TO_START", 200.0)


def write_connections(home: Path, text: str, mode: int = 0o600) -> Path:
    """The secrets file of the service home `home`."""
    path = home / "connections.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@contextmanager
def _served(server: ThreadingHTTPServer | socketserver.ThreadingTCPServer) -> Iterator[int]:
    server.daemon_threads = True
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
