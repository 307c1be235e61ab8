"""Whether the server answers; asked without importing Prefect, which takes seconds."""

import httpx

from deployments.home import Service


def answers(service: Service) -> bool:
    """Whether a Prefect server is up and ready at the service's address."""
    try:
        return httpx.get(f"{service.url}/api/ready", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
