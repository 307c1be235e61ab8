"""Where the bytes of a lake lie: the few things that are required of a folder or a bucket, and each kind of them."""

from forecasting.storage.backends.backend import Backend, Entry, Kind
from forecasting.storage.backends.bucket import Bucket
from forecasting.storage.backends.folder import Folder

__all__ = ["Backend", "Bucket", "Entry", "Folder", "Kind"]
