"""The library of the Safer K&C data warehouse: every Airflow task is one call into it."""

import os

# polars reads it when it is first imported. Documents are loaded side by side, and the database needs its cores too:
# on two cores loading takes 8 % less time with one thread than with polars' own choice of two
os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
