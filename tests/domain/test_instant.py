from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.instant import instant, moment
from modelops.errors import InvalidInput

moments = st.datetimes(timezones=st.just(UTC))


@given(moments)
def test_a_time_survives_being_written_and_read(at):
    assert moment(instant(at)) == at


@given(moments, moments)
def test_the_order_of_the_texts_is_that_of_the_times(one, other):
    assert (instant(one) < instant(other)) == (one < other)


def test_another_time_zone_is_written_in_utc():
    at = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    assert instant(at) == "2026-11-23T07:30:00.000000Z"


def test_a_time_without_zone_is_refused():
    with pytest.raises(InvalidInput, match="without a time zone"):
        instant(datetime(2026, 11, 23))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-23", "2026-11-23T09:30:00Z", "2026-13-01T00:00:00.000000Z", "\uff12026-11-23T09:30:00.000000Z"],
)
def test_a_text_of_another_form_is_refused(text):
    with pytest.raises(InvalidInput):
        moment(text)
