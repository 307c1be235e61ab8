"""Registered models: written once under the hash of their content, and verified whenever they are read.

models/<version>/   parameters.parquet, texts.json, backtest.parquet (of its challenger evaluation, if it had
one), and model.json, which is written last: a folder without it is no version
models/champion.json   the champion, and the champions before it, newest first
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import ForecastingError, RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.storage.files import json_if_any, read_json, read_table, sha256_of, write_json, write_table
from forecasting.storage.location import Location


@dataclass(frozen=True)
class Origin:
    """How a model was fitted.

    first, last, weeks, series: the weeks it was trained on, and the numbers of weeks and series.
    data: hash of the sales and promotions it was trained on.
    code: fingerprint of the code that fitted it.
    """

    first: date
    last: date
    weeks: int
    series: int
    data: str
    code: str
    created: datetime
    made_by: str


@dataclass(frozen=True)
class Version:
    """A registered model without its parameters: the content of `model.json`."""

    version: str
    content: Mapping[str, Any]

    @property
    def spec(self) -> ForecastSpec:
        return ForecastSpec.from_dict(self.content["spec"])

    @property
    def record(self) -> Mapping[str, Any]:
        """Its scores, and its challenger evaluation."""
        return self.content["record"]


@dataclass(frozen=True)
class Champion:
    """A version that is or was the champion.

    trained_until: the last week that it was trained on.
    week: the last week with sales when it was promoted; alarms up to it are settled.
    since: the moment of its promotion, ISO 8601.
    by, why: who promoted it, and the reason.
    """

    version: str
    model: str
    trained_until: date
    week: date
    since: str
    by: str
    why: str


def write_learnt(folder: Location, fitted: FittedModel) -> None:
    """Write the parameters and texts of a model as two files of `folder`."""
    write_table(folder / "parameters.parquet", fitted.parameters, schemas.parameters(fitted.spec.definition))
    write_json(folder / "texts.json", fitted.texts)


def read_learnt(folder: Location, spec: ForecastSpec) -> FittedModel:
    """Return the model that `write_learnt` wrote, which was fitted for `spec`.

    Raises:
        SchemaError: the parameters are missing, damaged, or differ from their declaration.
        OSError, ValueError: the texts are missing or damaged.
    """
    parameters = read_table(folder / "parameters.parquet", schemas.parameters(spec.definition))
    return FittedModel(spec, parameters, read_json(folder / "texts.json"))


class ModelRegistry:
    """Registers and loads fitted models, and remembers the champions."""

    def __init__(self, root: Location) -> None:
        self._folder = root / "models"
        self.champion_path = self._folder / "champion.json"

    def folder(self, version: str) -> Location:
        return self._folder / version

    def versions(self) -> list[str]:
        """Return the registered versions, by name."""
        return sorted(
            place.parent.name for place in map(self._folder.at, self._folder.walk()) if place.name == "model.json"
        )

    def register(
        self, fitted: FittedModel, origin: Origin, record: Mapping[str, Any], backtest: pd.DataFrame | None = None
    ) -> Version:
        """Register a fitted model; a model that is fitted again in the same way keeps its version and first record.

        Args:
            record: plain values: its scores and the challenger evaluation.
            backtest: table `backtest`: every forecast of that evaluation.
        """
        spec = {**fitted.spec.as_dict(), "point": "median"}  # which point is published is no part of what was learnt
        identity = {"spec": spec, "data": origin.data, "code": origin.code, "parameters": _hash_of(fitted)}
        version = _version_of(identity)
        folder = self.folder(version)
        if folder.files():
            try:
                return self.load(version)[0]
            except ForecastingError:
                folder.delete()  # damaged or unfinished
        write_learnt(folder, fitted)
        if backtest is not None:
            write_table(folder / "backtest.parquet", backtest, schemas.backtest(fitted.spec.definition))
        content = {
            **identity,
            "trained_on": {
                "first": str(origin.first),
                "last": str(origin.last),
                "weeks": origin.weeks,
                "series": origin.series,
            },
            "created": origin.created.isoformat(timespec="seconds"),
            "made_by": origin.made_by,
            "record": dict(record),
            "files": {path.name: sha256_of(path) for path in folder.files()},
        }
        write_json(folder / "model.json", content)  # last: without it there is no version
        return Version(version, content)

    def load(self, version: str) -> tuple[Version, FittedModel]:
        """Return a fitted model, verified.

        Raises:
            RunError: there is none of this version, or it is damaged.
        """
        found = self.describe(version)
        folder = self.folder(version)
        for name, expected in found.content["files"].items():
            path = folder / name
            if not path.exists() or sha256_of(path) != expected:
                raise _damaged(folder, f"{name} is not what was written")
        fitted = read_learnt(folder, found.spec)
        identity = {name: found.content[name] for name in ("spec", "data", "code", "parameters")}
        if _hash_of(fitted) != identity["parameters"] or _version_of(identity) != version:
            raise _damaged(folder, "its content is not that of its version")
        return found, fitted

    def describe(self, version: str) -> Version:
        """Return a version without its parameters.

        Raises:
            RunError: there is none of this version, or it is damaged.
        """
        folder = self.folder(version)
        try:
            content = read_json(folder / "model.json")
            found = Version(version, content)
            _ = found.spec, found.record, content["files"], content["trained_on"]
        except FileNotFoundError as error:
            raise RunError(
                f"There is no fitted model {version} in {folder.parent}", "choose one that `oj models` lists"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, ForecastingError) as error:
            raise _damaged(folder, "model.json cannot be read") from error
        return found

    def champion(self) -> Champion | None:
        """Return the champion; None where no model has been trained yet."""
        return next(iter(self.champion_history()), None)

    def champion_at(self, cutoff: date) -> Champion | None:
        """Return the newest champion that was trained on no week after the cutoff; None where there is none."""
        return next((each for each in self.champion_history() if each.trained_until <= cutoff), None)

    def champion_history(self) -> list[Champion]:
        """Return the champion and all before it, newest first; a version that was promoted twice is there twice.

        Raises:
            RunError: the file is damaged.
        """
        path = self.champion_path
        try:
            content = json_if_any(path)
            if content is None:
                return []
            return [_champion(each) for each in [content, *content["previous"]]]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"The record of the champion {path} is damaged",
                "restore it from a copy, or remove it and name a version of `oj models` by `oj models rollback --to`",
            ) from error

    def promote(self, version: Version, *, week: date, by: str, why: str, at: datetime) -> Champion:
        """Make a version the champion; the one before it stays in the history."""
        spec = version.spec
        new = Champion(version.version, spec.model, spec.cutoff, week, at.isoformat(timespec="seconds"), by, why)
        write_json(self.champion_path, asdict(new) | {"previous": [asdict(each) for each in self.champion_history()]})
        return new

    def predecessor(self) -> Champion:
        """Return the newest champion of another version than the current one.

        Raises:
            RunError: there is none.
        """
        history = self.champion_history()
        earlier = next((each for each in history if each.version != history[0].version), None)
        if earlier is None:
            raise RunError(
                f"There is no champion before {history[0].version}" if history else "There is no champion yet",
                "name a version that `oj models` lists with --to" if history else "train one with `oj train`",
            )
        return earlier


def _champion(content: Mapping[str, Any]) -> Champion:
    fields = {name: content[name] for name in Champion.__dataclass_fields__}
    weeks = {name: date.fromisoformat(fields[name]) for name in ("trained_until", "week")}
    return Champion(**fields | weeks)


def _damaged(folder: Location, what: str) -> RunError:
    return RunError(
        f"The fitted model {folder.name} is damaged: {what}",
        f"restore {folder} from a copy, name another version by `oj models rollback --to`, or train a new one by "
        "`oj train`",
    )


def _version_of(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def _hash_of(fitted: FittedModel) -> str:
    """Return a hash of the parameters and texts, whatever their file format."""
    digest = hashlib.sha256(pd.util.hash_pandas_object(fitted.parameters, index=False).to_numpy().tobytes())
    digest.update(json.dumps(dict(fitted.texts), sort_keys=True).encode())
    return digest.hexdigest()[:16]
