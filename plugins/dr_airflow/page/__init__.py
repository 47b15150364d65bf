"""The page Disaster Recovery in Airflow's web interface, and the JSON and metrics that it is made of."""
