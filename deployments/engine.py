"""What the worker starts for a flow run: Prefect's engine, behind a main module that is as good as empty.

The workers of the run's Dask cluster import the main module of their parent anew; were it Prefect's, each
would take two seconds more to start.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("prefect.engine", run_name="__main__")
