"""Ports for servers that a test starts."""

import random
import socket
from contextlib import suppress

# Below those that the system gives to connections, so that none takes it before the server does.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", random.SystemRandom().choice(PORTS))) as probe:
            return int(probe.getsockname()[1])
