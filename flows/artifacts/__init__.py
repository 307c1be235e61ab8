"""What a run shows of itself: a name, log lines, and artifacts on its page in the Prefect UI.

The page is for somebody who has never seen the code, and is written as the run goes: a run that fails has
what its finished stages showed. Whatever goes wrong here, a server that does not answer among it, costs the
run what it shows, and nothing else.
"""

from flows.artifacts.completeness import show_completeness
from flows.artifacts.failure import explain_failure
from flows.artifacts.headline import show_headline
from flows.artifacts.lineage import show_lineage
from flows.artifacts.monitoring import show_monitoring
from flows.artifacts.outcome import show_outcome
from flows.artifacts.progress import show_progress
from flows.artifacts.record import show_record
from flows.artifacts.results import show_results
from flows.artifacts.title import name_of_run, show_week

__all__ = [
    "explain_failure",
    "name_of_run",
    "show_completeness",
    "show_headline",
    "show_lineage",
    "show_monitoring",
    "show_outcome",
    "show_progress",
    "show_record",
    "show_results",
    "show_week",
]
