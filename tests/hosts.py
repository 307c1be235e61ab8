"""Hosts of a cluster, as network namespaces: each with an address, an sshd and a link that can be cut.

The hosts see the machine's programs; each has a /tmp and a /run of its own, in which it finds only the folders that
it shares. The test itself is the driver's host: it has the first address of their bridge.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

NETWORK = "10.213.{}.{}"  # private; the bridge's number and the host's
TRIES = 200  # bridges that may exist at a time
PATIENCE = 60.0
REPOSITORY = Path(__file__).parents[1]
SSHD_PATH = "/usr/sbin/sshd"  # it wants to be called by its whole path
SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
SetEnv PYTHONPATH={package} OMP_NUM_THREADS=1{variables}
"""
# `ip netns exec` gives what it starts mounts of its own: what is mounted here is seen on this host alone.
START = """
mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mkdir /run/shared || exit
for folder in {shared}; do mkdir -p /run/shared/$folder && mount --bind $folder /run/shared/$folder || exit; done
mount -t tmpfs tmpfs /tmp && chmod 1777 /tmp || exit
for folder in {shared}; do mkdir -p $folder && mount --bind /run/shared/$folder $folder || exit; done
exec setpriv --pdeathsig KILL {sshd} -D -f {config}
"""


@dataclass(frozen=True)
class Host:
    """A network namespace; `link` is the driver's end of its cable."""

    address: str
    namespace: str
    link: str
    sshd: int

    def processes(self) -> list[psutil.Process]:
        """All that runs on this host but for sshd and its sessions."""
        found = []
        for pid in _ip("netns", "pids", self.namespace).split():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(pid))
                if not process.name().startswith("sshd") and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def files(self) -> list[str]:
        """What workers have left in its own /tmp."""
        tmp = Path(f"/proc/{self.sshd}/root/tmp")  # as its sshd sees it
        return [path.name for path in tmp.glob("dask-scratch-space/worker-*")]

    def kill(self) -> None:
        """End every process of this host at once, its sshd first; its network stays, and resets connections."""
        while pids := _ip("netns", "pids", self.namespace).split():
            for pid in sorted(map(int, pids), key=lambda pid: pid != self.sshd):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def cut(self) -> None:
        """Take its cable off: nothing arrives any more and nothing is answered, not even by a reset."""
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """Put its cable back."""
        _ip("link", "set", self.link, "up")


@dataclass(frozen=True)
class Hosts:
    """Hosts on one bridge, and what a driver needs to log in on them."""

    each: list[Host]
    folder: Path

    @property
    def connect_options(self) -> dict[str, Any]:
        """Of `asyncssh.connect`."""
        return {
            "username": "root",
            "client_keys": [str(self.folder / "client_key")],
            "known_hosts": str(self.folder / "known_hosts"),
        }

    def processes(self) -> list[psutil.Process]:
        return [process for host in self.each for process in host.processes()]


def lacking() -> str | None:
    """What this machine lacks to make hosts, or None."""
    for command in ("ip", "setpriv", "ssh-keygen", SSHD_PATH):
        if not shutil.which(command):
            return f"hosts of a cluster need the command {command}"
    probe = f"oj-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode:
        return "hosts of a cluster need the right to make network namespaces"
    _ip("netns", "del", probe)
    return None


@contextmanager
def hosts(
    folder: Path,
    packages: Sequence[Path] = (REPOSITORY,) * 3,
    shared: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Hosts]:
    """Hosts that exist as long as the `with` block; nothing outside of their namespaces is touched.

    Args:
        folder: for keys and settings of their sshds.
        packages: for each host, the folder from which it imports our package.
        shared: folders that all of them see, as this machine does.
        variables: of the environment of each host; {driver} in them is the address of the test itself.
    """
    with ExitStack() as stack:
        number = _claim_bridge(stack)
        _ip("address", "add", f"{NETWORK.format(number, 1)}/24", "dev", f"ojbr{number}")
        _ip("link", "set", f"ojbr{number}", "up")
        addresses = [NETWORK.format(number, 10 + index) for index in range(len(packages))]
        _make_keys(folder, addresses)
        given = {name: value.format(driver=NETWORK.format(number, 1)) for name, value in (variables or {}).items()}
        more = "".join(f" {name}={value}" for name, value in given.items())
        seen = " ".join(map(str, {folder, REPOSITORY, Path(sys.prefix), *packages, *shared}))
        each = []
        for index, (address, package) in enumerate(zip(addresses, packages, strict=True)):
            config = folder / f"sshd-{index}"
            config.write_text(SSHD.format(address=address, folder=folder, package=package, variables=more))
            start = START.format(shared=seen, sshd=SSHD_PATH, config=config)
            each.append(stack.enter_context(_host(f"oj{number}h{index}", f"ojbr{number}", address, start)))
        yield Hosts(each, folder)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _claim_bridge(stack: ExitStack) -> int:
    """A bridge's name exists once on a machine, so that the number in it is ours alone."""
    for number in range(TRIES):
        with suppress(RuntimeError):
            _ip("link", "add", f"ojbr{number}", "type", "bridge")
            stack.callback(_ip, "link", "del", f"ojbr{number}")
            return number
    raise RuntimeError(f"no bridge could be made: {TRIES} of them exist, or this user may not")


def _make_keys(folder: Path, addresses: list[str]) -> None:
    for name in ("host_key", "client_key"):
        path = folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    public = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text("".join(f"{address} {public}" for address in addresses))


@contextmanager
def _host(namespace: str, bridge: str, address: str, start: str) -> Iterator[Host]:
    link = f"{namespace}v"
    with ExitStack() as stack:
        _ip("netns", "add", namespace)
        stack.callback(_ip, "netns", "del", namespace)
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        stack.callback(_ip, "link", "del", link)
        _ip("link", "set", link, "master", bridge, "up")
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        sshd = subprocess.Popen(["ip", "netns", "exec", namespace, "sh", "-c", start], stderr=subprocess.PIPE)
        host = Host(address, namespace, link, sshd.pid)
        stack.callback(sshd.wait)
        stack.callback(host.kill)
        _wait_until_it_listens(host, sshd)
        yield host


def _wait_until_it_listens(host: Host, sshd: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while sshd.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host.address, 22), timeout=1):
            return
        time.sleep(0.02)
    sshd.kill()
    raise RuntimeError(f"sshd of {host.address} did not start: {sshd.communicate()[1].decode()}")
