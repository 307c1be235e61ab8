"""How well retailers' own panels are forecast, as they come, beside other libraries on the same folds.

    python -m benchmarks.panels FOLDER
    python -m benchmarks.panels FOLDER --peers-python .venv-peers/bin/python    (`make peers` makes that environment)

Files of FOLDER whose names begin with the same word, as `walmart_sales.csv` and `walmart_features.csv`, are one panel.
Each panel comes into a lake of its own. The folds are its last eight cutoffs, two weeks apart, of which all weeks ahead
were sold; what is known in advance of these weeks is given to all models. Prints a table for each panel, in Markdown.
"""

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from forecasting.clock import now
from forecasting.compute import Cluster, dask_cluster
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, ForecastingError
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.core.backtest import score_models
from forecasting.core.folds import Folds
from forecasting.pipeline.backtest import Source, of_lake, run_folds, score
from forecasting.pipeline.panel_import import import_panel
from forecasting.pipeline.panel_proposal import propose_panel
from forecasting.storage.lake import Lake

MODELS = [ForecastSpec.model, "ets", "theta", "seasonal_naive", "boosted_trees"]
PEERS = Path(__file__).with_name("panels_peers.py")
SUFFIXES = {".csv", ".parquet", ".tsv", ".txt", ".xlsx"}
FOLDS, EVERY = 8, 2
# Of a panel with more series, those that sold most are forecast.
MOST_SERIES = 1200
# A series and fold takes 0.2 s by AutoETS, 0.03 s by AutoTheta: more series than these are not worth the hours.
MOST_BY_PEER = {"AutoETS": 50, "AutoTheta": 200}
BATCH = BatchSpec(error_threshold=-1, timeout=1200)
COLUMNS = {
    "wape": "WAPE %",
    "mape": "MAPE %",
    "bias": "bias %",
    "pinball": "pinball %",
    "coverage_80": "covered at 80 %",
    "coverage_95": "at 95 %",
}
OF_INTERVALS = ["pinball", "coverage_80", "coverage_95"]
FORECAST_KEY = ["cutoff", *schemas.CELL]


@dataclass(frozen=True)
class Panel:
    """A panel as it came in.

    rows_in: rows of its files. quarantined: rows by the rule that they broke. series: how many it has.
    source: the series that are forecast.
    """

    name: str
    rows_in: int
    quarantined: Mapping[str, int]
    series: int
    source: Source


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all panels of a folder, one after the other."""
    parser = argparse.ArgumentParser(description="Accuracy on the panels of a folder, beside other libraries.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="PANEL", help="panels to run")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--peers-python", type=Path, help="Python of an environment with benchmarks/panels_peers.txt")
    options = parser.parse_args(arguments)
    for name, files in panels(options.folder).items():
        if not options.only or name in options.only:
            try:
                lines = run(name, files, options.models, options.peers_python)
            except ForecastingError as error:
                lines = [f"## {name}", "", str(error), ""]
            print("\n".join(lines), flush=True)


def run(name: str, files: Sequence[Path], models: Sequence[str], peers_python: Path | None) -> list[str]:
    """Return the lines about one panel.

    Raises:
        ForecastingError: its files do not come in.
    """
    with tempfile.TemporaryDirectory() as temporary:
        lake = Lake(Path(temporary) / "lake")
        panel = read_panel(name, files, lake)
        folds = last_folds(panel.source)
        with dask_cluster(ClusterSpec(), lake, "a benchmark") as cluster:
            scores, rows = own_scores(cluster, panel, folds, models)
        if peers_python:
            scores = pd.concat([scores, peer_scores(panel, rows, peers_python, Path(temporary))])
    return list(report(panel, folds, rows, scores))


def panels(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each panel, by their first word, or the name of the one file."""
    by_word: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in SUFFIXES:
            by_word.setdefault(file.stem.split("_")[0], []).append(file)
    return {files[0].stem if len(files) == 1 else word: files for word, files in by_word.items()}


def read_panel(name: str, files: Sequence[Path], lake: Lake) -> Panel:
    """Take a panel into an empty lake as its owner does who changes nothing: `oj init FILE… --yes`, `oj import FILE…`.

    Raises:
        ForecastingError: the files cannot be understood, or too many rows are quarantined.
    """
    proposal = propose_panel(files).proposal
    lake.prepare()
    lake.reference.write_panel(proposal.definition, proposal.layouts)
    result = import_panel(lake, files, now())
    quarantined = {rule.rule: rule.rows for rule in result.rules}
    if result.is_refused:
        raise DataError(
            f"Of {result.rows_in:,} rows of {name}, {result.quarantined:,} are quarantined ({quarantined})",
            "look at the rows: `oj init`, then `oj import --check`",
        )
    return Panel(name, result.rows_in, quarantined, result.series, largest(of_lake(lake)))


def largest(source: Source) -> Source:
    """Return the series that sold most, without the lake: what is announced for coming weeks is known to all folds."""
    sold = source.sales.groupby(schemas.SERIES)["units"].sum().nlargest(MOST_SERIES).index.to_frame(index=False)
    sales, promotions = (rows.merge(sold, on=schemas.SERIES) for rows in (source.sales, source.promotions))
    return replace(source, sales=sales, promotions=promotions, lake=None)


def last_folds(source: Source) -> Folds:
    """Return the last cutoffs of which all weeks ahead are within the sales."""
    horizon, gap = ForecastSpec.horizon, ForecastSpec.gap
    last = source.sales["week"].max().date() - WEEK * (gap + horizon)
    cutoffs = (last - WEEK * EVERY * back for back in reversed(range(FOLDS)))
    first = source.sales["week"].min().date()
    return Folds(tuple(cutoff for cutoff in cutoffs if cutoff > first), horizon, gap)


def own_scores(
    cluster: Cluster, panel: Panel, folds: Folds, models: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of the project's models, one row a model, and their forecasts (table `backtest`)."""
    rows, milliseconds = run_folds(
        cluster, panel.source, folds, list(models), "median", BATCH, on_progress=lambda *_: None
    )
    series = rows.groupby("model", sort=False).apply(count_series)
    return score(panel.source, rows, milliseconds).assign(series=series), rows


def peer_scores(panel: Panel, rows: pd.DataFrame, python: Path, folder: Path) -> pd.DataFrame:
    """Return the scores of the other libraries on the cells of `rows`, one row a model.

    Args:
        rows: table `backtest`, of any models.
        python: of the environment of these libraries.
        folder: for the files that are exchanged.
    """
    cells = rows.drop_duplicates(FORECAST_KEY)
    panel.source.sales.to_parquet(folder / "sales.parquet", index=False)
    panel.source.promotions.to_parquet(folder / "covariates.parquet", index=False)
    cells[[*FORECAST_KEY, "step"]].to_parquet(folder / "cells.parquet", index=False)
    price = [option for each in panel.source.definition.of_role("price")[:1] for option in ("--price", each.name)]
    at_most = (f"{peer}={series}" for peer, series in MOST_BY_PEER.items())
    command = [python, PEERS, folder, *price, "--at-most", *at_most]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # The other environment must not find this one's packages.
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*map(str, command)], env={**outside, **one_thread}, check=True)
    forecasts, cost = (pd.read_parquet(folder / f"{name}.parquet") for name in ("forecasts", "cost"))
    known = cells[[*FORECAST_KEY, "actual"]].merge(forecasts, on=FORECAST_KEY)
    # They have one point for all purposes.
    scores = score_models(
        known.assign(**dict.fromkeys(("median", "mean", "mape"), known["forecast"])), panel.source.sales
    )
    has_intervals = known["lo_80"].notna().groupby(known["model"]).all()
    scores.loc[~has_intervals.reindex(scores.index), OF_INTERVALS] = float("nan")
    scores = scores.join(cost.set_index("model"))
    every = count_series(rows)
    few = scores.index[scores["series"] < every]
    return pd.concat([scores, *(on_series_of(known, name, rows, panel.source) for name in few)])


def on_series_of(peer_rows: pd.DataFrame, peer: str, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Return the scores of the first model of `rows` on the series of a peer that forecasts only some."""
    series = peer_rows.loc[peer_rows["model"] == peer, schemas.SERIES].drop_duplicates()
    own = rows[rows["model"] == rows["model"].iloc[0]].merge(series, on=schemas.SERIES)
    scores = score_models(own, source.sales).assign(series=len(series), cpu_ms=float("nan"))
    return scores.rename(index=lambda model: f"{model}, series of {peer}")


def count_series(rows: pd.DataFrame) -> int:
    """Return how many series the rows are of."""
    return len(rows[schemas.SERIES].drop_duplicates())


def report(panel: Panel, folds: Folds, rows: pd.DataFrame, scores: pd.DataFrame) -> Iterator[str]:
    """Yield the lines about one panel, in Markdown."""
    rules = ", ".join(f"{count:,} {rule}" for rule, count in panel.quarantined.items())
    quarantined = f"{sum(panel.quarantined.values()):,} quarantined" + (f" ({rules})" if rules else "")
    forecasts = len(rows.drop_duplicates(FORECAST_KEY))
    yield f"## {panel.name}"
    yield ""
    yield (
        f"{panel.rows_in:,} rows read, {quarantined}; "
        f"{panel.series:,} series, of which {count_series(rows):,} are forecast; {len(folds.cutoffs)} folds, "
        f"{folds.cutoffs[0]} to {folds.cutoffs[-1]}, {forecasts:,} forecasts."
    )
    yield ""
    yield f"| model | series | {' | '.join(COLUMNS.values())} | CPU ms a series |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 2)}"
    for model, found in scores.iterrows():
        percents = " | ".join(_number(100 * found[name], sign="+" if name == "bias" else "") for name in COLUMNS)
        yield f"| {model} | {int(found['series']):,} | {percents} | {_number(found['cpu_ms'])} |"
    yield ""


def _number(value: float, sign: str = "") -> str:
    return "" if pd.isna(value) else f"{value:{sign}.1f}"


if __name__ == "__main__":
    main()
