"""A scheduler that runs already: it is used and left as it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from distributed import Client

from forecasting.compute import tls
from forecasting.compute.building import connected
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ClusterSpec

CONNECT_TIMEOUT = 20.0


@contextmanager
def existing_scheduler(spec: ClusterSpec) -> Iterator[Client]:
    """A client of somebody else's scheduler.

    Raises:
        OptionError: certificates are needed and not configured.
        RunError: it does not answer, refuses our certificate, or has no workers.
    """
    security = tls.for_existing(spec.cluster)
    with ExitStack() as stack:
        try:
            client = stack.enter_context(connected(spec.cluster, CONNECT_TIMEOUT, security=security))
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"The scheduler {spec.cluster} does not answer, or refuses our certificate",
                "see that it runs, that this machine may reach it, and that both have certificates of one authority",
            ) from error
        try:
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
        except TimeoutError as error:
            raise RunError(f"The scheduler {spec.cluster} has no workers", "start some, then run again") from error
        yield client
