"""A cluster of any class that Dask knows: SSHCluster, KubeCluster, SLURMCluster, GatewayCluster and others."""

import inspect
import logging
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import dask
import distributed
from distributed import Client

from forecasting.compute import tls
from forecasting.compute.register import HeldEntry, held_entry
from forecasting.compute.spec_cluster import NO_DASHBOARD, adapt, close_if_interrupted
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.spec import ClusterSpec
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

START_TIMEOUT = 600.0  # a queue or an autoscaler may take its time
SECONDS_TO_CLOSE = 20.0
SECONDS_TO_END = 15.0
SECONDS_BETWEEN_CHECKS = 0.2
ENCRYPTED = ("tls://", "gateway://")  # the latter is dask-gateway's, TLS with its own certificates
SSH_EXTRA = 'pip install "orange-juice-forecasting[ssh]"'

SETTINGS = {
    # A scheduler on another host ends by itself when its driver is gone and nobody reaps it.
    "distributed.scheduler.idle-timeout": "5 minutes",
    # A host that is cut off resets no connection: so long may it be silent, and so long is it waited for.
    "distributed.comm.timeouts.tcp": "15s",
    "distributed.comm.timeouts.connect": "10s",
}
# Hosts of an SSHCluster start with Dask's configuration of this process: these make TLS their default.
TLS_SETTINGS = {"distributed.comm.require-encryption": True, "distributed.comm.default-scheme": "tls"}


@contextmanager
def cluster_of_class(spec: ClusterSpec, lake: Lake, run: str) -> Iterator[Client]:
    """Start a cluster of the class that `spec` names; it is registered in the lake until it has ended.

    Raises:
        OptionError: there is no such class, it does not take these options, or it is not encrypted.
        RunError: it does not start.
    """
    make, cluster_id = require_class(spec), secrets.token_hex(8)
    is_ssh = _is_ssh(make)
    settings = SETTINGS | TLS_SETTINGS if is_ssh and not spec.insecure else SETTINGS
    with held_entry(lake, cluster_id, run=run, spec=spec) as entry, dask.config.set(settings):
        options = _options(make, spec, lake.cluster_entry(cluster_id).with_suffix(".pem"))
        with _started(make, options, spec, entry) as cluster:
            address = str(cluster.scheduler_address)
            if not spec.insecure and not address.startswith(ENCRYPTED):
                raise OptionError(
                    f"cluster={spec.cluster}",
                    f"has started a scheduler at {address}, which is not encrypted, and was ended",
                    "have its options start it with TLS, or accept that with --insecure",
                )
            instances = len(options["hosts"]) - 1 if is_ssh else spec.instance_count
            entry.update(scheduler=address, instances=instances)
            with Client(cluster, timeout=START_TIMEOUT, set_as_default=False) as client:
                adapt(cluster, spec)
                if not is_ssh and not spec.is_adaptive and "n_workers" not in options:
                    cluster.scale(spec.n_workers)
                _wait_for_workers(client, spec, at_least=instances if is_ssh else min(spec.n_workers, 1))
                try:
                    yield client
                finally:
                    _end_workers(client, cluster)


def require_class(spec: ClusterSpec) -> Any:
    """Return the class, or the function that makes a cluster, at the dotted path.

    Raises:
        OptionError: there is none, what it needs is not installed, or options of an SSHCluster are missing.
    """
    option = f"cluster={spec.cluster}"
    *modules, name = spec.class_path
    try:
        found = getattr(import_module(".".join(modules)), name, None) if modules else None
        if _is_ssh(found):
            import_module("asyncssh")
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        remedy = f"install it beside this package, or put the folder of {missing!r} on PYTHONPATH"
        if missing.startswith("dask_"):
            remedy = f"pip install {missing.replace('_', '-')}"
        raise OptionError(
            option,
            f"needs the module {missing!r}, which is not installed",
            SSH_EXTRA if missing == "asyncssh" else remedy,
        ) from error
    if not callable(found):
        raise OptionError(option, f"names {name!r}, which is no class there", "give for example distributed.SSHCluster")
    if _is_ssh(found):
        _require_ssh(spec)
    return found


def _require_ssh(spec: ClusterSpec) -> None:
    if len(spec.cluster_options.get("hosts") or []) < 2:
        raise OptionError(
            "cluster_options",
            "name no hosts",
            'give {"hosts": [scheduler, worker, worker, …]}; the first may stand there twice',
        )
    if spec.is_adaptive:
        raise OptionError(
            f"max_instances={spec.max_instances}", "is not for an SSHCluster", "name its hosts, and leave this out"
        )
    if spec.insecure:
        return
    connect = spec.cluster_options.get("connect_options") or {}
    each = connect if isinstance(connect, list) else [connect]
    if any("known_hosts" in one and one["known_hosts"] is None for one in each):
        raise OptionError(
            "cluster_options",
            "switch off the check of the hosts' keys",
            "name a file of known_hosts, or accept that with --insecure",
        )
    tls.require_configured(f"cluster={spec.cluster}", "client", "scheduler", "worker")


def _options(make: Any, spec: ClusterSpec, pem: Path) -> dict[str, Any]:
    """Return the options to construct the cluster with: the user's, completed where the class knows the name.

    pem: where new certificates are written for a class that takes `security`, if none are configured.
    """
    options = dict(spec.cluster_options)
    if not spec.insecure and "security" not in options and _takes(make, "security"):
        options["security"] = tls.configured() or tls.make(pem)
    for name in ("scheduler_options", "scheduler_kwargs"):
        if _names(make, name):
            options[name] = NO_DASHBOARD | options.get(name, {})
    if _is_ssh(make):
        options["scheduler_options"] = {"port": 0} | options["scheduler_options"]
        options["worker_options"] = {
            "nthreads": 1,
            "n_workers": spec.max_concurrency_per_instance,
            "dashboard_address": NO_DASHBOARD["dashboard_address"],
            "death_timeout": 60.0,  # seconds after which a worker that does not find its scheduler ends
        } | options.get("worker_options", {})
    elif _names(make, "n_workers"):
        options.setdefault("n_workers", spec.n_workers)
    return options


@contextmanager
def _started(make: Any, options: Mapping[str, Any], spec: ClusterSpec, entry: HeldEntry) -> Iterator[Any]:
    """Start the cluster, and end it with the block; if it cannot be ended, its entry stays for a later run."""
    try:
        with close_if_interrupted(SECONDS_TO_CLOSE):
            cluster = make(**options)
    except (TypeError, ValueError) as error:
        raise OptionError(
            "cluster_options", f"are not what {spec.cluster} takes ({error})", "see that class's documentation"
        ) from error
    except Exception as error:  # whatever the class raises: an unknown host, a refused key, a full queue
        raise RunError(
            f"The cluster {spec.cluster} could not be started ({_cause(error)})",
            "see that its hosts can be reached by hand with the same options, then run again",
        ) from error
    try:
        yield cluster
    finally:
        try:
            cluster.__exit__(None, None, None)
        except (OSError, TimeoutError) as error:
            # The run has its own result or error, which this one must not replace.
            logger.warning(
                "The cluster %s could not be ended (%s); the next run tries again", spec.cluster, _cause(error)
            )
            entry.abandon()
            cluster.shutdown_on_close = False  # Dask would try again, and wait again, when this process ends


def _wait_for_workers(client: Client, spec: ClusterSpec, *, at_least: int) -> None:
    if not at_least:
        return  # they come with the work
    try:
        client.wait_for_workers(at_least, timeout=START_TIMEOUT)
    except TimeoutError as error:
        raise RunError(
            f"No worker of the cluster {spec.cluster} has come within {START_TIMEOUT:.0f} s",
            "see what its queue or its hosts say, then run again",
        ) from error


def _end_workers(client: Client, cluster: Any) -> None:
    """Ask all workers to end, and wait for those of an SSHCluster: Dask only kills them, and their files stay.

    A worker that its nanny is just restarting is asked as soon as the scheduler knows it.
    """
    until = time.monotonic() + SECONDS_TO_END
    with suppress(OSError, RuntimeError, ValueError, TimeoutError):
        while client.status == "running":
            client.retire_workers(list(client.scheduler_info(n_workers=-1)["workers"]), close_workers=True)
            commands = [getattr(worker, "proc", None) for worker in getattr(cluster, "workers", {}).values()]
            if all(command is None or command.is_closing() for command in commands) or time.monotonic() > until:
                return
            time.sleep(SECONDS_BETWEEN_CHECKS)


def _is_ssh(make: Any) -> bool:
    return make is distributed.SSHCluster


def _takes(make: Any, name: str) -> bool:
    """Return whether the constructor knows such an argument, by name or among `**kwargs` that it passes on."""
    parameters = inspect.signature(make).parameters.values()
    return _names(make, name) or any(each.kind is each.VAR_KEYWORD for each in parameters)


def _names(make: Any, name: str) -> bool:
    return name in inspect.signature(make).parameters


def _cause(error: BaseException) -> str:
    """Return the innermost cause, on one line."""
    while error.__cause__:
        error = error.__cause__
    if isinstance(error, socket.gaierror):
        return "unknown host"
    return (str(error) or type(error).__name__).splitlines()[0]
