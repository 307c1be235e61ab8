"""The only code that touches the world: files, the Dask cluster, the clock."""
