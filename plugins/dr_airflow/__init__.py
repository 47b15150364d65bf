"""The Airflow side: operators, DAG builders and the failure mapping around `dr_lib.runtime.Runtime`."""
