"""Dask's SSHCluster, with what it lacks: listeners on the named addresses only, an awaited end."""

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import distributed
from distributed import Client
from distributed.deploy import ssh as of_dask
from distributed.deploy.spec import SpecCluster

from forecasting.compute.certificates import folder_on_hosts
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ClusterSpec

DEATH_TIMEOUT = 60.0  # of a worker that does not find its scheduler
SECONDS_TO_END = 15.0
SECONDS_BETWEEN_LOOKS = 0.2
LOOPBACK_OF_HOST = "127.0.0.1:0"
# A host that is cut off answers nothing, not even by a reset: so it is found out, in seconds.
CONNECTION = {"connect_timeout": 10, "keepalive_interval": 5, "keepalive_count_max": 2}


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
        "local_directory": f"{folder_on_hosts(cluster_id)}/dask",
        "death_timeout": DEATH_TIMEOUT,
    }
    return {
        **options,
        "connect_options": [CONNECTION | one for one in each] if isinstance(connect, list) else CONNECTION | connect,
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


def end_workers(client: Client, cluster: SpecCluster) -> None:
    """Have all workers end. One that is just being started again is told as soon as the scheduler knows it."""
    until = time.monotonic() + SECONDS_TO_END
    while not all(each.is_over for each in cluster.workers.values()) and time.monotonic() < until:
        client.retire_workers(list(client.scheduler_info(n_workers=-1)["workers"]), close_workers=True)
        time.sleep(SECONDS_BETWEEN_LOOKS)


class _Awaited(of_dask.Process):
    """Ends when its command has ended on its host, or is killed; Dask's own leaves that open."""

    async def close(self) -> None:
        if self.proc:
            with suppress(TimeoutError, OSError):
                await asyncio.wait_for(self.proc.wait(), SECONDS_TO_END)
        await super().close()

    @property
    def is_over(self) -> bool:
        return self.proc is None or self.proc.is_closing()


class _Worker(_Awaited, of_dask.Worker):
    """Workers of one host."""


class _Scheduler(_Awaited, of_dask.Scheduler):
    """The scheduler on its host."""


def _listening(host: str) -> dict[str, str]:
    try:
        return {"host": str(ipaddress.ip_address(host))}
    except ValueError:
        return {}  # a name may stand for another address on that host itself
