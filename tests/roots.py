"""Places of every kind in which a lake may lie: folders of three kinds, and buckets in servers of the tests' own."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from forecasting.storage.location import Location, open_location
from tests.ports import free_port

KINDS = ("folder", "no-hard-links", "two-devices", "s3", "azure")
BUCKETS = ("s3", "azure")
BUCKET = "lake"
PATIENCE = 60.0
REPOSITORY = Path(__file__).parents[1]
AZURITE = REPOSITORY / ".azurite" / "node_modules" / ".bin" / "azurite-blob"
# The account of every Azurite, which is no secret.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
IMAGE_BYTES = 1 << 30  # of a file with holes: only what is written takes space
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the one folder of every Linux that lies on another device


class Lacking(Exception):
    """This machine lacks what a kind of storage needs."""


class Roots:
    """Makes empty roots of lakes. What a kind needs is started when it is asked for first, and serves all its roots."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._started: dict[str, Any] = {}

    def make(self, kind: str) -> str:
        """Return a new root of this kind: a path or a URL, under which nothing lies.

        Raises:
            Lacking: the machine lacks what the kind needs.
        """
        name = uuid.uuid4().hex[:12]
        if kind in BUCKETS:
            self._start(kind, {"s3": running_s3, "azure": running_azure}[kind])
            return f"{'s3' if kind == 's3' else 'az'}://{BUCKET}/{name}"
        if kind == "no-hard-links":
            return str(self._start(kind, lambda: mounted_exfat(self._folder)) / name)
        root = self._folder / name
        root.mkdir()
        if kind == "two-devices":
            other = self._start(kind, lambda: other_device(self._folder)) / name
            other.mkdir()
            (root / "inbox").symlink_to(other)
        return str(root)

    def open(self, kind: str) -> Location:
        """Return a new root of this kind."""
        return open_location(self.make(kind))

    def close(self) -> None:
        """Stop what was started, and remove what it kept."""
        self._stack.close()

    def _start(self, kind: str, start: Callable[[], Any]) -> Any:
        if kind not in self._started:
            self._started[kind] = self._stack.enter_context(start())
        return self._started[kind]


@contextmanager
def mounted_exfat(folder: Path) -> Iterator[Path]:
    """Mount a new exFAT: it has no hard links, symbolic links, owners or modes."""
    image, mount = folder / "exfat.img", folder / "exfat"
    lacking = [program for program in ("mkfs.exfat", "mount.exfat-fuse", "losetup") if not shutil.which(program)]
    if lacking or os.getuid() or not Path("/dev/fuse").exists():
        raise Lacking("exFAT cannot be mounted: be root, where /dev/fuse is, and apt-get install exfat-fuse exfatprogs")
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    _run("mkfs.exfat", str(image))
    device = _run("losetup", "--find", "--show", str(image)).strip()
    try:
        _run("mount.exfat-fuse", device, str(mount))
    finally:
        _run("losetup", "--detach", device)  # once it is unmounted
    try:
        yield mount
    finally:
        _run("umount", str(mount))
        image.unlink()


@contextmanager
def other_device(folder: Path) -> Iterator[Path]:
    """Make a folder on another device than `folder`."""
    if not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == folder.stat().st_dev:
        raise Lacking(f"{SHARED_MEMORY} is no other device than that of {folder}")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY, prefix="oj-other-device-") as made:
        yield Path(made)


@contextmanager
def running_s3() -> Iterator[None]:
    """Run moto's server of S3, with a bucket; its address and credentials are in the environment."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    with _running(command, Request(f"{url}/{BUCKET}", method="PUT"), environment):  # noqa: S310 - our own server
        yield


@contextmanager
def running_azure() -> Iterator[None]:
    """Run Azurite, the emulator of Azure Blob Storage, with a container; see `running_s3`."""
    if not AZURITE.exists():
        raise Lacking("Azurite is not installed: make azurite, which needs npm")
    url = f"http://127.0.0.1:{(port := free_port())}/{ACCOUNT}"
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"]
    command = [str(AZURITE), *options, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    environment = {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
        "AZURE_STORAGE_ENDPOINT": url,
        "AZURE_ALLOW_HTTP": "true",
    }
    with _running(command, _new_container(url), environment):
        yield


def _new_container(url: str) -> Request:
    """Return the signed request that creates the container: nothing that is installed here can do it."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    signed_headers = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    text = "PUT" + "\n" * 12 + signed_headers + resource
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    headers["Content-Length"] = "0"
    return Request(f"{url}/{BUCKET}?restype=container", method="PUT", headers=headers)  # noqa: S310 - our own server


@contextmanager
def _running(command: list[str], first: Request, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server, send its first request once it listens, and let the environment lead to it."""
    with tempfile.TemporaryDirectory(prefix="oj-bucket-") as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _send_once_it_listens(process, first)
            with patch.dict(os.environ, environment):
                yield
        finally:
            process.kill()
            process.wait()


def _send_once_it_listens(process: subprocess.Popen[bytes], request: Request) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(request, timeout=PATIENCE):  # noqa: S310 - our own server
                return
        except HTTPError:
            raise  # it answers, but not as it should
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
        time.sleep(0.05)


def _run(*command: str) -> str:
    with suppress(FileNotFoundError):
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout
    raise Lacking(f"{command[0]} is missing")
