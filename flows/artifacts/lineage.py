"""The lineage: from the files that stores sent to the report, each step with its count and its hash."""

import shlex

from flows.artifacts.markdown import block, code, count, table
from flows.artifacts.posting import post
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.batch import ForecastBatch
from forecasting.storage.lake import Lake
from forecasting.storage.lineage import Origin, trace


def show_lineage(lake: Lake, spec: ForecastSpec, work: ForecastBatch) -> None:
    """What the forecast was made of."""
    post("lineage", "From the stores' files to the report", lineage_markdown, lake, spec, work)


def lineage_markdown(lake: Lake, spec: ForecastSpec, work: ForecastBatch) -> str:
    """A table of the steps."""
    rows = [_row(lake, origin) for origin in trace(lake, spec)]
    series, partitions = len(work.series), len(work.partitions)
    by = f"{count(series, 'series', 'series')} in {count(partitions, 'partition')}, each forecast by {code(spec.model)}"
    return "\n\n".join(
        [
            f"## From the stores' files to the report, week of {spec.cutoff}",
            f"All in the lake {code(lake.root.resolve())}. Each is made of the ones above it.",
            table(["what", "files", "rows", "where", "sha256"], rows, ["left", "right", "right"]),
            f"Between the tables and the forecast: {by}. Run id {code(work.run_id)}, a hash of input, options and "
            "code: the same id stands for the same forecast.",
            "A hash can be checked. It is that of the files one after the other, in the order of their names:",
            block("sh", f"cat {shlex.quote(str(lake.root.resolve()))}/sales/*.parquet | sha256sum"),
        ]
    )


def _row(lake: Lake, origin: Origin) -> tuple[str, ...]:
    rows = "" if origin.rows is None else f"{origin.rows:,}"
    folder = code(f"{origin.folder.relative_to(lake.root)}/")
    return origin.name, f"{origin.files:,}", rows, folder, code(origin.sha256[:12])
