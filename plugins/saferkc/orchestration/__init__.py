"""Airflow's processes, its REST interface, and what the DAG files need of both."""
