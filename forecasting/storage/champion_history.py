"""The champion: the fitted model in force, and those that were before it, newest first."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from forecasting.contracts.errors import RunError
from forecasting.storage.files import read_json, write_json
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Version


@dataclass(frozen=True)
class Champion:
    """A version that is or was in force.

    trained_until: the last week that it was trained on.
    week: the last week that had been sold when it was put in force; alarms up to it are settled.
    since: the moment.
    by, why: who put it in force, and the reason.
    """

    version: str
    model: str
    trained_until: date
    week: date
    since: str
    by: str
    why: str


def champion_history(lake: Lake) -> list[Champion]:
    """The champion and all before it, newest first; a version that came back is there twice.

    Raises:
        RunError: the file that says so is damaged.
    """
    path = lake.champion_path
    if not path.exists():
        return []
    try:
        content = read_json(path)
        return [_champion(each) for each in [content, *content["previous"]]]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"The record of the champion {path} is damaged",
            "restore it from a copy, or remove it and name a version of `oj models` by `oj models rollback --to`",
        ) from error


def champion(lake: Lake) -> Champion | None:
    """The version in force; None where no model has been trained yet."""
    return next(iter(champion_history(lake)), None)


def champion_at(lake: Lake, cutoff: date) -> Champion | None:
    """The newest champion that has seen no week after the cutoff, as a past week must not be forecast with more."""
    return next((each for each in champion_history(lake) if each.trained_until <= cutoff), None)


def promote(lake: Lake, version: Version, *, week: date, by: str, why: str, at: datetime) -> Champion:
    """Put a version in force; the one before it is remembered."""
    spec = version.spec
    new = Champion(version.version, spec.model, spec.cutoff, week, at.isoformat(timespec="seconds"), by, why)
    write_json(lake.champion_path, asdict(new) | {"previous": [asdict(each) for each in champion_history(lake)]})
    return new


def predecessor(lake: Lake) -> Champion:
    """The newest one before the champion that is of another version.

    Raises:
        RunError: there is none.
    """
    known = champion_history(lake)
    earlier = next((each for each in known if each.version != known[0].version), None)
    if earlier is None:
        raise RunError(
            f"There is no champion before {known[0].version}" if known else "There is no champion yet",
            "name a version that `oj models` lists with --to" if known else "train one with `oj train`",
        )
    return earlier


def _champion(content: dict[str, Any]) -> Champion:
    fields = {name: content[name] for name in Champion.__dataclass_fields__}
    dates = {name: date.fromisoformat(fields[name]) for name in ("trained_until", "week")}
    return Champion(**fields | dates)
