"""Which failures Airflow tries again."""

from __future__ import annotations

import pytest

from dr_lib.errors import (
    DrError,
    IntegrityError,
    NotFound,
    ObjectiveMissed,
    OutOfSpace,
    PermissionDenied,
    Refused,
    SourceUnstable,
    StoreUnavailable,
    UsageError,
)


@pytest.mark.parametrize("kind", [StoreUnavailable, SourceUnstable])
def test_what_may_pass_is_left_to_the_retries(kind):
    from airflow.sdk.exceptions import AirflowFailException
    from dr_airflow.failures import airflow_failures

    with pytest.raises(kind) as caught, airflow_failures():
        raise kind("it may pass")
    assert not isinstance(caught.value, AirflowFailException)


@pytest.mark.parametrize(
    "kind", [UsageError, ObjectiveMissed, IntegrityError, NotFound, OutOfSpace, Refused, PermissionDenied, DrError]
)
def test_what_no_retry_can_help_fails_at_once_and_says_why(kind):
    from airflow.sdk.exceptions import AirflowFailException
    from dr_airflow.failures import airflow_failures

    with pytest.raises(AirflowFailException, match=f"{kind.__name__}.*it is so.*region x.*do that"), airflow_failures():
        raise kind("it is so", where="region x", hint="do that")


def test_a_stranger_passes_through():
    from dr_airflow.failures import airflow_failures

    with pytest.raises(ZeroDivisionError), airflow_failures():
        raise ZeroDivisionError
