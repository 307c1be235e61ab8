"""The Dask cluster: up, map partitions, down. The only package that imports Dask.

Partitions are plain Dask futures of a pure function; workers know nothing of flows. Each worker is a
process with one thread, so that a partition that hangs or kills its worker takes nothing else with it.

    life        `dask_cluster`: the cluster exists for the length of a `with` block
    local, existing, by_class   the three ways to have one; `ssh`, `tls` are what the last needs beside Dask
    mapping, handover           partitions over the workers: by value, or by path where the lake is shared
    versions, on_worker         every worker runs the version of this run
    meter, receipt              what it cost
    janitor, reap               nothing is left behind, however the run ended
"""

from forecasting.compute.cluster import Cluster, dask_cluster
from forecasting.compute.partition_map import PartitionFunction
from forecasting.compute.usage import ClusterUsage

__all__ = ["Cluster", "ClusterUsage", "PartitionFunction", "dask_cluster"]
