"""A cluster's certificates on its hosts, by SSH, for as long as its driver is heard from.

SSHCluster hands Dask's configuration to each host on a command line, where every user of that host can
read it for a moment. So the configuration names a file only, and the key goes into that file through a
connection of our own. The shell that wrote it removes it when it is told to, and by itself when its driver
has been killed or cannot be heard any more.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import dask

from forecasting.compute import tls
from forecasting.contracts.errors import RunError

SECONDS_TO_PLACE = 30.0
SECONDS_TO_REMOVE = 15.0
SECONDS_OF_SILENCE = 60  # a host that has heard nothing for so long gives its driver up
# Nobody can have made the folder before: its name is random. Workers may write in it until they have ended.
_SHELL = """umask 077; mkdir -p {folder} && head -c {size} > {folder}/tls.pem && timeout 1 true && echo ready \
&& while [ "$(timeout {silence} head -c 1)" = . ]; do :; done; \
for second in 1 2 3 4 5 6 7 8 9 10; do rm -rf {folder}; sleep 1; [ -e {folder} ] || break; done"""


def folder_on_hosts(cluster_id: str) -> str:
    """Where the hosts keep what is this cluster's alone."""
    return f"/tmp/oj-{cluster_id}"  # noqa: S108 - the id is random, and made with umask 077


@contextmanager
def certificates_on_hosts(
    hosts: list[str], connect_options: Mapping[str, Any] | list[Mapping[str, Any]], pem: str, cluster_id: str
) -> Iterator[None]:
    """Have `pem` on every host, and Dask's configuration name it, for as long as the `with` block runs.

    Args:
        connect_options: of `asyncssh.connect`, for all hosts or for each.
        pem: the text of key and certificate.

    Raises:
        RunError: a host cannot be reached.
    """
    each = connect_options if isinstance(connect_options, list) else [connect_options] * len(hosts)
    folder = folder_on_hosts(cluster_id)
    with _loop() as run, dask.config.set(tls.as_config(f"{folder}/tls.pem")):
        shells = [_Shell(host, how) for host, how in zip(hosts, each, strict=True)]
        try:
            placed = run(_all(shell.place(pem, folder) for shell in shells))
            for shell, failure in zip(shells, placed, strict=True):
                if failure:
                    why = str(failure) or ("no answer" if isinstance(failure, TimeoutError) else type(failure).__name__)
                    raise RunError(
                        f"The host {shell.host} cannot be reached by SSH ({why})",
                        "see that `ssh` to it works with the same user, key and known_hosts, then run again",
                    ) from failure
            yield
        finally:
            run(_all(shell.remove() for shell in shells))


@dataclass
class _Shell:
    """What keeps the file on one host."""

    host: str
    how: Mapping[str, Any]
    connection: Any = None
    process: Any = None
    beating: "asyncio.Task[None] | None" = None

    async def place(self, pem: str, folder: str) -> None:
        import asyncssh

        async with asyncio.timeout(SECONDS_TO_PLACE):
            self.connection = await asyncssh.connect(self.host, **self.how)
            command = _SHELL.format(folder=folder, size=len(pem), silence=SECONDS_OF_SILENCE)
            self.process = await self.connection.create_process(command)
            self.process.stdin.write(pem)
            if (await self.process.stdout.readline()).strip() != "ready":
                raise OSError("its shell could not write to /tmp, or lacks `head` or `timeout`")
        self.beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            self.process.stdin.write(".")
            await asyncio.sleep(SECONDS_OF_SILENCE / 4)

    async def remove(self) -> None:
        """Have the file removed; a host that does not answer removes it by itself."""
        if self.beating:
            self.beating.cancel()
        if self.process:
            with suppress(OSError, TimeoutError):
                self.process.stdin.write_eof()
                await asyncio.wait_for(self.process.wait(), SECONDS_TO_REMOVE)
        if self.connection:
            self.connection.abort()


async def _all(work: Iterator[Coroutine[Any, Any, None]]) -> list[BaseException | None]:
    """Hosts do not wait for each other; gives what each raised."""
    return await asyncio.gather(*work, return_exceptions=True)


@contextmanager
def _loop() -> Iterator[Any]:
    """A function that runs a coroutine in a thread whose loop keeps the connections alive meanwhile."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ssh-certificates", daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
