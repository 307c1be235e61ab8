"""Weekly batch forecasts of store × product sales."""
