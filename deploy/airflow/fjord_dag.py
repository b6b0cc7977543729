"""A sync every hour as an Airflow DAG: the exit code says whether a later try may help."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from airflow.providers.standard.operators.bash import BashOperator

PIPELINE = "/opt/pipelines/shop/pipeline.yaml"

# Exit codes 1, 2 and 4 need a person; Airflow skips the retries of a task that fails with 99 only, so that is what they become.
SYNC = f"""
fjord sync {PIPELINE} --json
code=$?
case $code in
  0) exit 0 ;;
  1|2|4) echo "fjord ended with $code: not tried again"; exit 99 ;;
  *) exit $code ;;
esac
"""

with DAG(
    dag_id="fjord_shop",
    schedule="@hourly",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "retry_exponential_backoff": True},
) as dag:
    sync = BashOperator(task_id="sync", bash_command=SYNC, append_env=True, env={"SHOP_PASSWORD": "{{ conn.shop.password }}"})
    maintain = BashOperator(task_id="maintain", bash_command=f"fjord maintain {PIPELINE} --json", append_env=True)
    sync >> maintain
