"""What the validation of a week leaves behind.

quarantine/<cutoff>.parquet                inbox rows that a run did not accept
completeness/<week>.json                   what was expected of a week, and what came
acceptances/<week>.json                    who accepted a week with its gaps, and why
acceptances/<week>/<hash>.json             who accepted the outlier of a cell, which one, and why
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.run_record import adapter
from forecasting.contracts.table import Table
from forecasting.core.completeness import Acceptance, CompletenessReport
from forecasting.storage.files import dates, json_if_any, read_json, read_table, write_json, write_table
from forecasting.storage.location import Location
from forecasting.storage.reference import Reference

_OVERRIDE = re.compile("[0-9a-f]{16}.json")


class Quarantine:
    """Inbox rows that runs did not accept, one file a cutoff."""

    def __init__(self, root: Location, reference: Reference) -> None:
        self._folder = root / "quarantine"
        self._reference = reference

    def add(self, cutoff: date, rows: pd.DataFrame, files: Iterable[str]) -> None:
        """Write the rows of `files` that a run of `cutoff` did not accept; they replace older rows of these files."""
        path, table = self._path(cutoff), self._table
        if path.exists():
            old = read_table(path, table)
            rows = pd.concat([old[~old["file"].isin(list(files))], rows], ignore_index=True)
        if len(rows) or path.exists():
            write_table(path, rows, table)

    def read(self, cutoff: date) -> pd.DataFrame:
        """Return the rows that runs of `cutoff` did not accept (table `quarantine`)."""
        path, table = self._path(cutoff), self._table
        return read_table(path, table) if path.exists() else table.empty()

    def weeks(self) -> list[date]:
        """Return the cutoffs whose runs did not accept some row, oldest first."""
        return dates(self._folder.names(), ".parquet")

    @property
    def _table(self) -> Table:
        return schemas.quarantine(self._reference.definition)

    def _path(self, cutoff: date) -> Location:
        return self._folder / f"{cutoff}.parquet"


class Completeness:
    """Completeness reports, one a week that a run admitted."""

    def __init__(self, root: Location) -> None:
        self._folder = root / "completeness"

    def write(self, report: CompletenessReport) -> None:
        """Write the report of an admitted week."""
        content = adapter(CompletenessReport).dump_python(report, mode="json")
        write_json(self._folder / f"{report.week}.json", content)

    def read(self, week: date) -> CompletenessReport:
        """Return the report of an admitted week."""
        return adapter(CompletenessReport).validate_python(read_json(self._folder / f"{week}.json"))

    def weeks(self) -> list[date]:
        """Return the weeks that a run has admitted, oldest first."""
        return dates(self._folder.names(), ".json")


class Acceptances:
    """Decisions of people: a week may be forecast with its gaps, or the units of a cell are no error."""

    def __init__(self, root: Location, reference: Reference) -> None:
        self.folder = root / "acceptances"
        self._reference = reference

    def write(self, week: date, accepted: Acceptance) -> None:
        """Write that a week may be forecast with its gaps."""
        write_json(self._path(week), adapter(Acceptance).dump_python(accepted, mode="json"))

    def read(self, week: date) -> Acceptance | None:
        """Return who accepted the week with its gaps, and why; None where nobody did."""
        plain = json_if_any(self._path(week))
        return adapter(Acceptance).validate_python(plain) if plain else None

    def write_override(self, week: date, store: Id, product: Id, accepted: Acceptance) -> None:
        """Write that the units of this cell are right although they are an outlier."""
        cell = {"store": store, "product": product}
        name = hashlib.sha256(json.dumps(cell).encode()).hexdigest()[:16]  # ids become no paths
        plain = adapter(Acceptance).dump_python(accepted, mode="json")
        write_json(self.folder / str(week) / f"{name}.json", cell | plain)

    def overrides(self) -> pd.DataFrame:
        """Return the cells whose units were accepted although they are outliers: `store, product, week`."""
        cells = []
        for week in dates(self.folder.names()):
            names = (self.folder / str(week)).files(".json")
            found = [read_json(path) for path in names if _OVERRIDE.fullmatch(path.name)]
            cells += [(each["store"], each["product"], week) for each in found]
        types = schemas.sales(self._reference.definition).empty()[schemas.CELL].dtypes
        return pd.DataFrame(cells, columns=schemas.CELL).astype(types)

    def _path(self, week: date) -> Location:
        return self.folder / f"{week}.json"
