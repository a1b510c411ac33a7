"""Cron expressions in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock.cron import EXPRESSION_LIMIT
from linstock.cron.explain import explain
from linstock.cron.fields import MACROS


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 2 * * *", "At 02:00, every day"),
        ("0 2,14 * * *", "At 02:00 and 14:00, every day"),
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("0 */6 * * *", "Every 6 hours"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("15 30 4 * * *", "At 04:30:15, every day"),
        ("0 0 * * 0", "At 00:00, only on Sunday"),
        ("0 0 * * 7", "At 00:00, only on Sunday"),
        ("30 8,12 * * mon-fri", "At 08:30 and 12:30, Monday through Friday"),
        ("0 0 1 jan,JUL *", "At 00:00, on day 1 of the month, only in January and July"),
        ("0 3 1 * ?", "At 03:00, on day 1 of the month"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 * * 5L", "At 00:00, on the last Friday of the month"),
        ("0 0 * * MON#2", "At 00:00, on the second Monday of the month"),
        ("0 0 1 */3 *", "At 00:00, on day 1 of the month, every 3 months"),
        ("@daily", "At 00:00, every day"),
        ("@Weekly", "At 00:00, only on Sunday"),
        ("@every_second", "Every second"),
        ("@every_minute", "Every minute"),
    ],
)
def test_in_words(expression: str, words: str) -> None:
    assert explain(expression) == words
    assert explain(expression, "Europe/Berlin") == f"{words}, Europe/Berlin"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("@every 90s", "Every 1 minute and 30 seconds"),
        ("@every 60m", "Every hour"),
        ("@every 24h", "Every 24 hours"),
        ("@every 2d", "Every 2 days"),
        ("@every 1h/10m", "Every hour, 10 minutes later than full ones"),
    ],
)
def test_an_interval_has_no_zone(expression: str, words: str) -> None:
    assert explain(expression, "Europe/Berlin") == words


def test_day_and_weekday_must_both_match_and_the_words_say_so() -> None:
    assert explain("0 0 13 * 5") == "At 00:00, on day 13 of the month, and only on Friday"
    assert explain("0 0 1-7 3 mon") == ("At 00:00, between day 1 and 7 of the month, only in March, and only on Monday")


def test_either_is_said_where_either_is_enough() -> None:
    assert explain("0 0 13 * 5", days="or") == "At 00:00, on day 13 of the month, or on Friday"
    assert explain("0 0 13 * *", days="or") == explain("0 0 13 * *")


@pytest.mark.parametrize("expression", ["0 0 LW * *", "0 0 * * *  * *", "x y z a b"])
def test_what_it_cannot_word_is_named_field_by_field_or_worded_anyway(expression: str) -> None:
    assert explain(expression)


def test_fields_are_named() -> None:
    assert explain("9 x 8 b 1") == "minute 9, hour x, day 8, month b, weekday 1"


@given(st.text(max_size=EXPRESSION_LIMIT * 2) | st.text(alphabet="0123456789*/,-? L#W@", max_size=40))
def test_it_never_fails(expression: str) -> None:
    assert explain(expression)


def test_every_macro_has_five_or_six_fields() -> None:
    assert {len(fields.split()) for fields in MACROS.values()} == {5, 6}
