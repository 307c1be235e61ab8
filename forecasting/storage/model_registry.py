"""Fitted models in the lake: written once under the hash of their content, verified whenever they are read.

A version is a folder `models/<version>/` of `model.json`, `parameters.parquet`, `texts.json` and `backtest.parquet`
(the contest that it took part in, if any). It is written to staging and renamed, so that it is whole or not there.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import ForecastingError, RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.storage.files import read_json, read_table, sync, write_json, write_table
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class Origin:
    """Where a fitted model is from.

    first, last, weeks, series: what it was trained on: the weeks, and how many weeks and series.
    data: hash of the sales and promotions that it has seen.
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
    """A fitted model of the store, without its parameters: what `model.json` says."""

    version: str
    content: Mapping[str, Any]

    @property
    def spec(self) -> ForecastSpec:
        given = self.content["spec"]
        return ForecastSpec(**{**given, "cutoff": date.fromisoformat(given["cutoff"])})

    @property
    def record(self) -> Mapping[str, Any]:
        """Its scores, and the contest that it took part in."""
        return self.content["record"]


def write_learnt(folder: Path, fitted: FittedModel) -> None:
    """Write what a model has learnt, all but its spec, as two files of `folder`."""
    write_table(folder / "parameters.parquet", fitted.parameters, schemas.PARAMETERS)
    write_json(folder / "texts.json", fitted.texts)


def read_learnt(folder: Path, spec: ForecastSpec) -> FittedModel:
    """Return the model that `write_learnt` wrote, which was fitted for `spec`.

    Raises:
        SchemaError: the parameters are missing, damaged, or differ from their declaration.
        OSError, ValueError: the texts are missing or damaged.
    """
    parameters = read_table(folder / "parameters.parquet", schemas.PARAMETERS)
    return FittedModel(spec, parameters, read_json(folder / "texts.json"))


def keep(
    lake: Lake, fitted: FittedModel, origin: Origin, record: Mapping[str, Any], backtest: pd.DataFrame | None = None
) -> Version:
    """Keep a fitted model; the same one, trained again, keeps its version and its first record.

    Args:
        record: plain values: its scores and contest.
        backtest: table `backtest`: every forecast of that contest.
    """
    spec = {**fitted.spec.as_dict(), "point": "median"}  # which point is shown is no part of what was learnt
    identity = {"spec": spec, "data": origin.data, "code": origin.code, "parameters": _hash_of(fitted)}
    version = _version_of(identity)
    folder = lake.model_folder(version)
    if folder.exists():
        try:
            return load(lake, version)[0]
        except ForecastingError:
            shutil.rmtree(folder)  # damaged, and now made anew
    staging = lake.staging(f"model-{version}")
    write_learnt(staging, fitted)
    if backtest is not None:
        write_table(staging / "backtest.parquet", backtest, schemas.BACKTEST)
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
        "files": {path.name: _sha256(path) for path in sorted(staging.glob("*.*")) if path.name != "model.json"},
    }
    write_json(staging / "model.json", content)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.replace(folder)
    sync(folder.parent)
    return Version(version, content)


def load(lake: Lake, version: str) -> tuple[Version, FittedModel]:
    """A fitted model, verified.

    Raises:
        RunError: there is none of this version, or it is damaged.
    """
    found = describe(lake, version)
    folder = lake.model_folder(version)
    for name, expected in found.content["files"].items():
        path = folder / name
        if not path.exists() or _sha256(path) != expected:
            raise _damaged(folder, f"{name} is not what was written")
    fitted = read_learnt(folder, found.spec)
    identity = {name: found.content[name] for name in ("spec", "data", "code", "parameters")}
    if _hash_of(fitted) != identity["parameters"] or _version_of(identity) != version:
        raise _damaged(folder, "its content is not that of its version")
    return found, fitted


def describe(lake: Lake, version: str) -> Version:
    """What is known of a version, without its parameters.

    Raises:
        RunError: there is none of this version, or it is damaged.
    """
    folder = lake.model_folder(version)
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


def _damaged(folder: Path, what: str) -> RunError:
    return RunError(
        f"The fitted model {folder.name} is damaged: {what}",
        f"restore {folder} from a copy, go back to another version (`oj models rollback --to`), "
        "or train anew (`oj train`)",
    )


def _version_of(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def _hash_of(fitted: FittedModel) -> str:
    """Hash of what was learnt, however it is written."""
    digest = hashlib.sha256(pd.util.hash_pandas_object(fitted.parameters, index=False).to_numpy().tobytes())
    digest.update(json.dumps(dict(fitted.texts), sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
