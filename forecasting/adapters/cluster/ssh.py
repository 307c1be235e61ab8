"""Dask's SSHCluster, with what it lacks: listeners on the named addresses only, certificates, an awaited end.

SSHCluster hands Dask's configuration to each host on a command line, where every user of that host can
read it for a moment. So the configuration names a file only, and the key goes into that file through a
connection of our own. The remote shell that wrote it waits for the end of its input and then removes the
folder, also where this process was killed.
"""

import asyncio
import ipaddress
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import dask
import distributed
from distributed.deploy import ssh as of_dask
from distributed.deploy.spec import SpecCluster

from forecasting.adapters.cluster import tls
from forecasting.errors import OptionError, RunError
from forecasting.spec import ClusterSpec

CONNECT_TIMEOUT = 60.0
SECONDS_TO_END = 15.0
LOOPBACK_OF_HOST = "127.0.0.1:0"


def is_ssh(make: Any) -> bool:
    """Whether this is Dask's own SSHCluster."""
    return make is distributed.SSHCluster


def completed(options: Mapping[str, Any], spec: ClusterSpec, cluster_id: str) -> dict[str, Any]:
    """The options of an SSHCluster, with what this package needs where they say nothing.

    Raises:
        OptionError: there are no hosts, or their keys would not be checked.
    """
    hosts = options.get("hosts") or []
    if len(hosts) < 2:
        raise OptionError(
            "cluster_options",
            "name no hosts",
            'give {"hosts": [scheduler, worker, worker, …]}; the first may stand there twice',
        )
    if spec.is_adaptive:
        raise OptionError(
            f"max_instances={spec.max_instances}", "is not for an SSHCluster", "name its hosts, and leave this out"
        )
    connect = options.get("connect_options") or {}
    each = connect if isinstance(connect, list) else [connect]
    if not spec.insecure and any("known_hosts" in one and one["known_hosts"] is None for one in each):
        raise OptionError(
            "cluster_options",
            "switch off the check of the hosts' keys",
            "name a file of known_hosts, or accept that with --insecure",
        )
    scheduler = {"port": 0, "dashboard_address": LOOPBACK_OF_HOST}
    worker = {
        "nthreads": 1,
        "dashboard_address": LOOPBACK_OF_HOST,
        "n_workers": spec.max_concurrency_per_instance,
        "local_directory": f"{_folder(cluster_id)}/dask",
        "death_timeout": CONNECT_TIMEOUT,
    }
    return {
        **options,
        "connect_options": connect,
        "scheduler_options": scheduler | options.get("scheduler_options", {}),
        "worker_options": worker | options.get("worker_options", {}),
    }


def ssh_cluster(
    hosts: list[str],
    connect_options: dict[str, Any] | list[dict[str, Any]],
    scheduler_options: dict[str, Any],
    worker_options: dict[str, Any],
    worker_class: str = "distributed.Nanny",
    remote_python: str | list[str] | None = None,
    **kwargs: Any,
) -> SpecCluster:
    """As `distributed.SSHCluster`, but scheduler and workers listen on the address by which they were named."""

    def of(options: Any, number: int) -> Any:
        return options[number] if isinstance(options, list) else options

    def on_host(number: int, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "address": hosts[number],
            "connect_options": of(connect_options, number),
            "kwargs": {**_listening(hosts[number]), **options},
            "remote_python": of(remote_python, number),
        }

    workers = {
        number: {"cls": _Worker, "options": {**on_host(number, worker_options), "worker_class": worker_class}}
        for number in range(1, len(hosts))
    }
    scheduler = {"cls": _Scheduler, "options": on_host(0, scheduler_options)}
    return SpecCluster(workers, scheduler, name="SSHCluster", **kwargs)


class _Awaited(of_dask.Process):
    """Ends when its command has ended on its host, or is killed; Dask's own leaves that open."""

    async def close(self) -> None:
        if self.proc:
            with suppress(TimeoutError, OSError):
                await asyncio.wait_for(self.proc.wait(), SECONDS_TO_END)
        await super().close()


class _Worker(_Awaited, of_dask.Worker):
    """Workers of one host."""


class _Scheduler(_Awaited, of_dask.Scheduler):
    """The scheduler on its host."""


def _listening(host: str) -> dict[str, str]:
    try:
        return {"host": str(ipaddress.ip_address(host))}
    except ValueError:
        return {}  # a name may stand for another address on that host itself


@contextmanager
def certificates_on_hosts(options: Mapping[str, Any], pem: str, cluster_id: str) -> Iterator[None]:
    """Have `pem` on every host, and Dask's configuration name it, for as long as the `with` block runs.

    Raises:
        RunError: a host cannot be reached.
    """
    hosts, connect = options["hosts"], options["connect_options"]
    each = connect if isinstance(connect, list) else [connect] * len(hosts)
    folder = _folder(cluster_id)
    with _loop() as loop, dask.config.set(tls.as_config(f"{folder}/tls.pem")):
        holders = []
        try:
            for host, how in zip(hosts, each, strict=True):
                try:
                    holders.append(loop(_place(host, how, pem, folder)))
                except Exception as error:  # asyncssh and the system have many words for it
                    raise RunError(
                        f"The host {host} cannot be reached by SSH ({str(error) or type(error).__name__})",
                        "see that `ssh` to it works with the same user, key and known_hosts, then run again",
                    ) from error
            yield
        finally:
            for connection, process in holders:
                with suppress(Exception):  # a host that is gone takes its files with it
                    loop(_remove(connection, process))


async def _place(host: str, how: Mapping[str, Any], pem: str, folder: str) -> tuple[Any, Any]:
    """Write the file on one host; the shell there then waits for the end of its input."""
    import asyncssh

    connection = await asyncssh.connect(host, **how)
    # Nobody can have made the folder before: its name is random. Workers may write in it until they have ended.
    command = (
        f"umask 077; mkdir -p {folder} && head -c {len(pem)} > {folder}/tls.pem && echo ready && cat > /dev/null; "
        f"for second in 1 2 3 4 5 6 7 8 9 10; do rm -rf {folder}; sleep 1; [ -e {folder} ] || break; done"
    )
    process = await connection.create_process(command)
    process.stdin.write(pem)
    if (await process.stdout.readline()).strip() != "ready":
        raise OSError("its shell could not write to /tmp")
    return connection, process


async def _remove(connection: Any, process: Any) -> None:
    process.stdin.write_eof()
    await process.wait()
    connection.close()


def _folder(cluster_id: str) -> str:
    return f"/tmp/oj-{cluster_id}"  # noqa: S108 - the id is random, and made with umask 077


@contextmanager
def _loop() -> Iterator[Any]:
    """A function that runs a coroutine in a thread whose loop keeps the connections alive meanwhile."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ssh-certificates", daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(CONNECT_TIMEOUT)

    try:
        yield run
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
