"""Whether workers reach the lake: those that do read their own rows; to others, rows are sent with the task."""

import secrets

from distributed import Client

from forecasting.compute import workers
from forecasting.storage.lake import Lake
from forecasting.storage.location import open_location


class RowsUnreadable(Exception):
    """A worker cannot read the lake, as one that joined late and does not see it."""


def is_lake_reached(client: Client, lake: Lake) -> bool:
    """Return whether every worker reads in the lake what has just been written there."""
    token = secrets.token_hex(16)
    place = open_location(lake.url) / "staging" / f"token-{token[:8]}"
    place.write_text(token)
    try:
        read = client.run(workers.read_text, str(place))
    finally:
        place.delete()
    return bool(read) and all(content == token for content in read.values())
