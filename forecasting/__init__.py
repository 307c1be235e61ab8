"""Weekly batch forecasts of store × brand sales: the pure core and its adapters, without any Prefect."""
