"""The compute room: start a Dask cluster, map partitions over it, end it. The only package that imports Dask.

Partitions are plain Dask futures of a pure function; workers know nothing of flows. Each worker is a process with one
thread, so that a partition that hangs or kills its worker harms no other partition.

    cluster          `dask_cluster`: the cluster exists for the length of a `with` block
    local, existing, cluster_class   the three kinds; `spec_cluster` and `tls` are what they share
    partition_map    partitions over the workers, with a deadline and retries
    transfer         how a partition reaches its worker: in a message, or by shared storage
    workers          what is asked of workers, their versions above all
    usage            what the cluster provided, did and cost
    register, scratch_cleanup   nothing is left behind, however the run ended
"""

from forecasting.compute.cluster import Cluster, dask_cluster
from forecasting.compute.partition_map import PartitionFunction
from forecasting.compute.usage import ClusterUsage

__all__ = ["Cluster", "ClusterUsage", "PartitionFunction", "dask_cluster"]
