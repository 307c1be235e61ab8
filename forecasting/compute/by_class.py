"""A cluster of any class that Dask knows: SSHCluster, KubeCluster, SLURMCluster, GatewayCluster and others."""

import inspect
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any

import dask
from distributed import Client

from forecasting.compute import ssh, tls
from forecasting.compute.building import adapt, close_if_interrupted, connected
from forecasting.compute.certificates import certificates_on_hosts
from forecasting.compute.register import HeldEntry, held_entry
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.spec import ClusterSpec
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

SECONDS_TO_CLOSE = 20.0
START_TIMEOUT = 600.0  # a queue or an autoscaler may take its time
ENCRYPTED = ("tls://", "gateway://")  # the latter is dask-gateway's, TLS with its own certificates

SETTINGS = {
    # A dead man's switch: what runs on other hosts ends by itself where nobody tells it to.
    "distributed.scheduler.idle-timeout": "5 minutes",
    # A host that is cut off resets no connection: so soon is its silence noticed, and no longer is it waited for.
    "distributed.comm.timeouts.tcp": "15s",
    "distributed.comm.timeouts.connect": "10s",
}

# What to install for a module that is missing.
EXTRAS = {
    "asyncssh": 'pip install "orange-juice-forecasting[ssh]"',
    "dask_kubernetes": "pip install dask-kubernetes",
    "dask_jobqueue": "pip install dask-jobqueue",
    "dask_gateway": "pip install dask-gateway",
}


@contextmanager
def cluster_of_class(spec: ClusterSpec, lake: Lake, cluster_id: str, run: str) -> Iterator[Client]:
    """Start a cluster of the class that `spec` names; registered in the lake until it has ended.

    Raises:
        OptionError: there is no such class, it does not take these options, or it is not encrypted.
        RunError: it does not start.
    """
    make = cluster_class(spec)
    options, security = dict(spec.cluster_options), None
    with ExitStack() as stack:
        entry = stack.enter_context(
            held_entry(
                lake,
                cluster_id,
                run=run,
                kind=spec.cluster,
                instances=spec.instance_count,
                price_per_instance_hour=spec.price_per_instance_hour,
            )
        )
        stack.enter_context(dask.config.set(SETTINGS))
        pem = lake.cluster_entry(cluster_id).with_suffix(".pem")
        if not spec.insecure and "security" not in options:
            security = tls.configured() or tls.make(pem)
        scales = not ssh.is_ssh(make)
        if not scales:
            make = ssh.ssh_cluster
            options = ssh.completed(options, spec, cluster_id)
            if security and pem.exists():
                stack.enter_context(
                    certificates_on_hosts(
                        options["hosts"], options["connect_options"], pem.read_text("ascii"), cluster_id
                    )
                )
        if security and _takes(make, "security"):
            options["security"] = security
        if scales and _names(make, "n_workers"):
            options.setdefault("n_workers", spec.n_workers)
        if scales and _names(make, "dashboard_address"):
            options.setdefault("dashboard_address", "127.0.0.1:0")  # Dask's default is to be seen by everybody
        cluster = stack.enter_context(_constructed(make, options, spec, entry))
        address = str(cluster.scheduler_address)
        if not spec.insecure and not address.startswith(ENCRYPTED):
            raise OptionError(
                f"cluster={spec.cluster}",
                f"has started a scheduler at {address}, which is not encrypted, and was ended",
                "have its options start it with TLS, or accept that with --insecure",
            )
        hosts = len(options["hosts"]) - 1 if not scales else spec.instance_count
        entry.update(scheduler=address, instances=hosts)
        client = stack.enter_context(connected(cluster, START_TIMEOUT))
        adapt(cluster, spec)
        if not spec.is_adaptive and scales and "n_workers" not in options:
            cluster.scale(spec.n_workers)
        _wait_for_workers(client, spec, at_least=hosts if not scales else min(spec.n_workers, 1))
        try:
            yield client
        finally:
            # Asked to close, workers and nannies clear up behind themselves; the class may only kill them.
            if client.status == "running":
                with suppress(OSError, RuntimeError, ValueError, TimeoutError):
                    if scales:
                        client.retire_workers(list(client.scheduler_info(n_workers=-1)["workers"]), close_workers=True)
                    else:
                        ssh.end_workers(client, cluster)


def cluster_class(spec: ClusterSpec) -> Any:
    """The class, or the function that makes a cluster, at the dotted path.

    Raises:
        OptionError: there is none, or what it comes with is not installed.
    """
    option = f"cluster={spec.cluster}"
    *modules, name = spec.class_path
    try:
        found = getattr(import_module(".".join(modules)), name, None) if modules else None
        if ssh.is_ssh(found):
            import_module("asyncssh")
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        remedy = EXTRAS.get(missing, f"install it beside this package, or put the folder of {missing!r} on PYTHONPATH")
        raise OptionError(option, f"needs the module {missing!r}, which is not installed", remedy) from error
    if not callable(found):
        raise OptionError(option, f"names {name!r}, which is no class there", "give for example distributed.SSHCluster")
    return found


@contextmanager
def _constructed(make: Any, options: Mapping[str, Any], spec: ClusterSpec, entry: HeldEntry) -> Iterator[Any]:
    """The cluster; where it cannot be ended, its entry stays, and a later run tries again."""
    try:
        with close_if_interrupted(SECONDS_TO_CLOSE):
            cluster = make(**options)
    except (TypeError, ValueError) as error:
        raise OptionError(
            "cluster_options", f"are not what {spec.cluster} takes ({error})", "see that class's documentation"
        ) from error
    except Exception as error:  # whatever the class raises: an unknown host, a refused key, a full queue
        raise RunError(
            f"The cluster {spec.cluster} could not be started ({_sentence(error)})",
            "see that its hosts can be reached by hand with the same options, then run again",
        ) from error
    try:
        yield cluster
    finally:
        try:
            cluster.__exit__(None, None, None)
        except (OSError, TimeoutError) as error:
            # The run has its own result, or its own error: that is what is told.
            logger.warning("The cluster %s could not be told to end (%s)", spec.cluster, _sentence(error))
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


def _takes(make: Any, name: str) -> bool:
    """Whether the constructor knows such an argument, by name or among `**kwargs` that it hands on."""
    parameters = inspect.signature(make).parameters.values()
    return _names(make, name) or any(each.kind is each.VAR_KEYWORD for each in parameters)


def _names(make: Any, name: str) -> bool:
    return name in inspect.signature(make).parameters


def _sentence(error: BaseException) -> str:
    """The innermost cause, on one line."""
    while error.__cause__:
        error = error.__cause__
    if isinstance(error, socket.gaierror):
        return "unknown host"
    return (str(error) or type(error).__name__).splitlines()[0]
