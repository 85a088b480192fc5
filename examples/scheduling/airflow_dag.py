"""An Airflow 3 DAG: submit, wait for the answers without holding a worker, hand the table on.

Every task is safe to retry: what was sent is not sent again. Workers need the folder of the ledger, so run the tasks
on one queue or keep the folder on a disk that they share.
"""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.sdk import DAG

FOLDER = os.environ.get("ENRICH_FOLDER", "/srv/enrich")  # accounts.csv, accounts.yaml and .rowcite
PENDING = 5  # the exit code of `collect` while rows are pending

with DAG(
    "enrich_accounts",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    submit = BashOperator(
        task_id="submit",
        bash_command=f"cd {FOLDER} && rowcite submit accounts.yaml --log-format json",
    )
    collect = BashSensor(
        task_id="collect",
        bash_command=f"cd {FOLDER} && rowcite collect accounts.yaml --no-progress --log-format json",
        retry_exit_code=PENDING,
        mode="reschedule",
        poke_interval=60,
        timeout=6 * 60 * 60,
    )
    report = BashOperator(
        task_id="report",
        bash_command=f"cd {FOLDER} && rowcite report accounts.yaml -o report.html --quiet",
    )
    submit >> collect >> report
