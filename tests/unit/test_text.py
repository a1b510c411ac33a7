import pytest

from linstock import text


@pytest.mark.parametrize("fine", ["", "Été 写真 🙂", "tab\tand\nlines"])
def test_text_that_can_be_stored(fine: str) -> None:
    assert text.flaw(fine, text.LINES) is None


@pytest.mark.parametrize(("given", "named"), [("a\0", "U+0000"), ("a\ud800", "U+D800"), ("\x1b[2J", "U+001B")])
def test_what_can_not_be_stored_is_named(given: str, named: str) -> None:
    assert named in str(text.flaw(given, text.LINES))


def test_lines_only_where_there_may_be_several() -> None:
    assert text.flaw("two\nlines") == "it holds the character U+000A"
