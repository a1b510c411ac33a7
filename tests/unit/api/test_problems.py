"""What is wrong, and where."""

import asyncpg
import pytest
from litestar.exceptions import ValidationException

from services.api.problems import FieldError, problem_of, wrong


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ((), "#"),
        (("name",), "#/name"),
        (("rules", "2", "name"), "#/rules/2/name"),
        (("a/b~c",), "#/a~1b~0c"),
        (("a.b",), "#/a.b"),
        (("über uns",), "#/%C3%BCber%20uns"),
    ],
)
def test_a_field_is_named_by_json_pointer(path: tuple[str, ...], pointer: str) -> None:
    assert wrong(*path, detail="x").pointer == pointer


def test_a_parameter_is_named_as_callers_write_it() -> None:
    error = ValidationException(extra=[{"key": "page_size", "message": "Expected `int` >= 1", "source": "query"}])
    assert problem_of(error).errors == (FieldError("Expected `int` >= 1", parameter="pageSize"),)


def test_a_body_that_is_not_there() -> None:
    problem = problem_of(ValidationException(extra=[{"key": "data", "message": "'data'", "source": "body"}]))
    assert (problem.status, problem.code) == (400, "malformed")


def test_a_database_that_dies_while_it_is_connected_to_is_unavailable_not_our_mistake() -> None:
    problem = problem_of(asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"))
    assert (problem.status, problem.code) == (503, "database-unavailable")
