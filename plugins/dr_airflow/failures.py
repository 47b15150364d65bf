"""What a `DrError` means to Airflow: a retry that may help, or a failure that no retry will mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from dr_lib.errors import DrError


@contextmanager
def airflow_failures() -> Iterator[None]:
    """Fail the task for good on a `DrError` that no retry can help; let every other exception pass to the retries."""
    try:
        yield
    except DrError as error:
        if error.retryable:
            raise
        raise AirflowFailException(f"{type(error).__name__} (exit code {error.exit_code}): {error}") from error
