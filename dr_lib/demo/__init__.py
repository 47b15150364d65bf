"""The embedded default: three real regions, Airflow and two sample assets on this machine, and the main job on them."""
