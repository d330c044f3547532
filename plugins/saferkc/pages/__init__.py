"""Pages in Airflow's UI: tonight, alerts, recording changes, series and deliveries.

Server-rendered, one module a page: it reads, a template of the same name shows. ``access`` says who somebody is and
what he may do, by Airflow's auth manager; nothing else here knows Airflow.
"""

TITLE = "Safer K&C"
# where Airflow's web server serves them
PREFIX = "/saferkc"
