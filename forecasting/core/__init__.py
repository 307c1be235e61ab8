"""The pure core: frames in, frames out; no disk, clock, Prefect or Dask."""
