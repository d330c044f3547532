"""The library of the Safer K&C data warehouse: every Airflow task is one call into it."""
