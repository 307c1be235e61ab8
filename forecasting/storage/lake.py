"""The lake: the root folder of everything that the system keeps, as one store for each kind of data.

Each store is the only writer of its paths, and the only one that knows their layout:

    inbox/                             files that the sending stores drop; see `forecasting.storage.inbox`
    archive/                           inbox files that a run has collected; `lake.archive`
    reference/stores.parquet, products.parquet, panel.toml   `lake.reference`
    sales/<week>.parquet               sales of a week, as known now; `lake.sales`
    promotions/<week>.parquet          what the files of a week announced of prices and promotions; `lake.promotions`
    vintages/sales|promotions/<week>/<collected>.parquet   every content that such a file has had; never changed
    corrections/<cutoff>.parquet       units that a run of that cutoff replaced with others; `lake.corrections`
    imports/<moment>.csv               rows that an import did not take in, for people
    quarantine/<cutoff>.parquet        inbox rows that a run did not accept; `lake.quarantine`
    completeness/<week>.json           what was expected of a week, and what came; `lake.completeness`
    acceptances/<week>.json            who accepted a week with its gaps, and why; `lake.acceptances`
    acceptances/<week>/<hash>.json     who accepted the outlier of a cell, and why
    staging/<run_id>/                  finished partitions of an unfinished run; `lake.partials`
    runs/<cutoff>/<run_id>/            forecast.parquet and manifest.json; never changed; `lake.forecasts`
    published/<cutoff>/forecast.parquet   the current forecast; `lake.forecasts`
    run_records/<cutoff>/<started>.json   what each run did, published or not; `lake.runs`
    scores/<cutoff>/<run_id>.parquet   scores of a published forecast; `lake.monitoring`
    baselines/<key>.parquet            scores that a backtest lets expect of a model; `lake.monitoring`
    alarms/<week>.json                 alarms that the scores of a week raised; `lake.monitoring`
    notifications/<cutoff>-<kind>.json   notifications that were sent; `lake.notifications`
    report/report.parquet, scores.parquet, views.sql   tables for people's tools, DuckDB's views; `lake.reports`
    report/<cutoff>.html, <cutoff>/    the page of a week, and the parts of a large one; `lake.reports`
    models/<version>/                  registered models; `lake.models`
    models/champion.json               the champion, and those before it; `lake.models`
    locks/<name>/                      leases; see `forecasting.storage.leases`
    clusters/<id>.json, <id>.pem       clusters that would outlive their run; `forecasting.compute.register`
    scratch/                           what workers spill

Clusters and scratch belong on this machine: those of a lake in a bucket are in the folder of the service.

No part of a path comes from the content of data, only weeks, run ids and names of inbox files that match the
declared pattern.
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.panel_definition import Id
from forecasting.core.point_in_time import Snapshot
from forecasting.storage.admission import Acceptances, Completeness, Quarantine
from forecasting.storage.archive import Archive
from forecasting.storage.connections import oj_home
from forecasting.storage.forecasts import Forecasts, PartialResults
from forecasting.storage.history import Corrections, Promotions, Sales, later_than
from forecasting.storage.inbox import InboxFile
from forecasting.storage.location import Location, open_location
from forecasting.storage.model_registry import ModelRegistry
from forecasting.storage.monitoring import Monitoring, Notifications
from forecasting.storage.reference import Reference
from forecasting.storage.reports import Reports
from forecasting.storage.run_records import RunRecords


class Lake:
    """The stores of one lake, and what spans several of them."""

    def __init__(self, root: Location | str | Path) -> None:
        """Open the lake of a place, a path or a URL; it need not exist yet."""
        self.root = root = root if isinstance(root, Location) else open_location(root)
        self.inbox = root / "inbox"
        self.archive = Archive(root / "archive", self.inbox)
        self.reference = Reference(root)
        self.sales = Sales(root, self.reference)
        self.promotions = Promotions(root, self.reference)
        self.corrections = Corrections(root, self.sales, self.reference)
        self.quarantine = Quarantine(root, self.reference)
        self.completeness = Completeness(root)
        self.acceptances = Acceptances(root, self.reference)
        self.partials = PartialResults(root, self.reference)
        self.forecasts = Forecasts(root, self.partials, self.reference)
        self.runs = RunRecords(root)
        self.monitoring = Monitoring(root, self.forecasts)
        self.notifications = Notifications(root)
        self.reports = Reports(root, self.forecasts, self.reference)
        self.models = ModelRegistry(root)

    @property
    def url(self) -> str:
        """Return the address by which other processes open it."""
        return str(self.root.path.absolute() if self.root.path else self.root)

    def prepare(self) -> None:
        """Create the root, and the folders into which people and other systems write.

        Raises:
            OptionError: the root cannot be written.
        """
        try:
            for folder in (self.inbox, self.acceptances.folder):
                folder.make_folder()
            probe = self.root / ".writable"
            probe.write_bytes(b"")
            probe.delete()
        except OSError as error:
            raise OptionError(
                f"lake={self.root}",
                f"cannot be written ({error.strerror})",
                "name another folder with --lake or OJ_LAKE, or correct its permissions",
            ) from error

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Fill an empty lake with history; where that is interrupted, the lake counts as empty and is cleared first."""
        marker = self.root / ".filling"
        marker.write_bytes(b"")
        for name in ("sales", "promotions", "vintages"):
            (self.root / name).delete()
        yield
        marker.delete()

    def exists(self) -> bool:
        """Return whether there is such a folder, or anything under such a URL."""
        return self.root.path.is_dir() if self.root.path else bool(self.root.children())

    @property
    def is_empty(self) -> bool:
        """Whether there is no history yet, or only a part of one."""
        return (self.root / ".filling").exists() or not self.sales.weeks()

    def waiting(self) -> list[InboxFile]:
        """Return the files of the inbox that no run has collected, by name."""
        return self.archive.waiting(self.reference.definition, self.reference.layouts)

    def last_collected(self) -> datetime:
        """Return the moment at which the newest of what the lake holds was collected."""
        return max(self.sales.newest(), self.promotions.newest())

    def begin_collecting(self, at: datetime) -> datetime:
        """Repair what an interrupted run left, and return the moment for what is collected now: `at`, or later.

        The caller holds the lock `collect` from here until the last row is added.
        """
        self.root.backend.tidy()
        self.sales.settle()
        self.promotions.settle()
        return later_than(self.last_collected(), at)

    def snapshot(
        self,
        cutoff: date,
        as_of: datetime,
        stores: tuple[Id, Id] | None = None,
        among: Collection[Id] | None = None,
    ) -> Snapshot:
        """Return what a run of `cutoff` had to forecast from at the moment `as_of`.

        Args:
            stores: the first and the last store whose rows are wanted; all where it is None.
            among: the stores of that range that are wanted; all of it where it is None.
        """
        return Snapshot(
            self.sales.read(cutoff, as_of, stores, among), self.promotions.read(cutoff, as_of, stores, among)
        )

    def digests(self, cutoff: date, as_of: datetime) -> dict[str, list[str]]:
        """Return hashes of the content of the files that a run of `cutoff` reads at the moment `as_of`, by table."""
        return {"sales": self.sales.digests(cutoff, as_of), "promotions": self.promotions.digests(cutoff, as_of)}

    def snapshot_of(self, cutoff: date) -> Snapshot:
        """Return what the current forecast of `cutoff` was made from, whatever was collected later.

        Raises:
            DataError: there is none, or it does not say up to which moment its run had collected.
        """
        as_of = self.forecasts.as_of(cutoff)
        if not as_of:
            raise DataError(
                f"The lake {self.root} has no forecast of the week of {cutoff} that says what it was made from",
                f"make it with `oj run --cutoff {cutoff}`",
            )
        return self.snapshot(cutoff, as_of)

    def import_list(self, moment: datetime) -> Location:
        """Return the file that lists what an import of that moment did not take in."""
        return self.root / "imports" / f"{moment.astimezone(UTC):%Y-%m-%dT%H-%M-%S}.csv"

    def cluster_entry(self, cluster_id: str) -> Path:
        return self._beside / "clusters" / f"{cluster_id}.json"

    def cluster_entries(self) -> list[Path]:
        return [path for path in sorted((self._beside / "clusters").glob("*.json")) if not path.name.startswith(".")]

    def scratch(self) -> Path:
        """Return a folder of this machine for what Dask workers spill; it is made where it is missing."""
        if not self.root.path:
            # The folder of the service is for its owner only, whoever makes it first.
            for private in (oj_home(), oj_home() / "lakes", self._beside):
                private.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.scratch_path.mkdir(parents=True, exist_ok=True)
        return self.scratch_path

    @property
    def scratch_path(self) -> Path:
        return self._beside / "scratch"

    def lock(self, name: str) -> Location:
        """Return the place of a lease."""
        return self.root / "locks" / name

    @property
    def _beside(self) -> Path:
        """The folder of what belongs on this machine; of a lake in a bucket, one in the user's home."""
        if self.root.path:
            return self.root.path
        return oj_home() / "lakes" / hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
