"""Nightly audits in Airflow: one task a pipeline, each for the day that the DAG run speaks of.

0 passes the task. 1 (a gate failed), 2 (not acceptable as given) and 4 (undecided) fail it for good, since asking again
changes nothing. 3 (broke) and 75 (another run holds the lock) fail the attempt, and Airflow tries again.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

PIPELINES = sorted(Path("/etc/probity").glob("*.toml"))
FOR_GOOD = {1: "a gate failed", 2: "not acceptable as given", 4: "undecided"}


@dag(
    schedule="15 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    tags=["probity"],
)
def probity():
    for pipeline in PIPELINES:

        @task(task_id=pipeline.stem)
        def audit(path: str, ds: str | None = None) -> None:
            process = subprocess.Popen(["probity", "run", "--as-of", ds, "--wait", "900", path])
            try:
                code = process.wait()
            finally:
                # A task that is stopped stops its audit, which is then recorded as aborted.
                if process.poll() is None:
                    process.terminate()
                    process.wait(timeout=60)
            if code in FOR_GOOD:
                raise AirflowFailException(f"{path}: {FOR_GOOD[code]} (exit code {code})")
            if code != 0:
                raise AirflowException(f"{path}: exit code {code}")

        audit(str(pipeline))


probity()
