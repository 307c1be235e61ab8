"""A scheduler that somebody else has started: it is used, and left as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client

from forecasting.compute import tls
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ClusterSpec

CONNECT_TIMEOUT = 20.0


@contextmanager
def existing_scheduler(spec: ClusterSpec) -> Iterator[Client]:
    """Connect a client to the scheduler for the length of the `with` block.

    Raises:
        OptionError: the scheduler needs certificates, and none are configured.
        RunError: the scheduler does not answer, refuses the certificate, or has no workers.
    """
    security = tls.for_existing(spec.cluster)
    try:
        client = Client(spec.cluster, timeout=CONNECT_TIMEOUT, security=security, set_as_default=False)
    except (OSError, RuntimeError) as error:
        raise RunError(
            f"The scheduler {spec.cluster} does not answer, or refuses our certificate",
            "see that it runs, that this machine may reach it, and that both have certificates of one authority",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
        except TimeoutError as error:
            raise RunError(f"The scheduler {spec.cluster} has no workers", "start some, then run again") from error
        yield client
