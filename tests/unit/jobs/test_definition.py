"""What `@job` makes of a function."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linstock import Backoff, BadParameters, JobContext, PayloadTooLarge, Worker, job
from linstock.jobs.worker import NoJobs
from linstock.messages.enqueue import Unique


@job
async def mail(context: JobContext, to: str, copies: list[str] | None = None) -> None: ...


def nothing() -> None: ...


def payload(wanted: Any) -> Any:
    return msgspec.json.decode(wanted.payload)


def test_its_type_is_where_the_function_is() -> None:
    assert mail.job_type == "tests.unit.jobs.test_definition.mail"
    assert job(name="other")(mail.function).job_type == "other"


def test_parameters_are_named_and_the_context_is_none_of_them() -> None:
    assert payload(mail.wanted(("ann",), {})) == {"to": "ann", "copies": None}
    assert mail.arguments(b'{"to": "ann", "copies": ["ben"]}', 1) == {"to": "ann", "copies": ["ben"]}


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1,), {}), (("ann",), {"copies": "ben"}), (("ann",), {"other": 1}), ((object(),), {})],
)
def test_what_does_not_fit_is_refused(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(BadParameters, match=r"mail"):
        mail.wanted(args, kwargs)


@pytest.mark.parametrize("given", [b"{}", b'{"to": 1}', b'{"to": "ann", "colour": 1}', b"[]", b"{"])
def test_what_comes_from_elsewhere_is_validated_again(given: bytes) -> None:
    with pytest.raises(BadParameters):
        mail.arguments(given, 1)


def test_too_much_is_refused_with_the_limit() -> None:
    with pytest.raises(PayloadTooLarge, match=r"256 KiB"):
        mail.wanted(("a" * 300_000,), {})


def test_defaults_are_not_shared() -> None:
    @job
    def listed(names: list[str] = ["ann"]) -> None: ...  # noqa: B006  # as applications have it

    first = listed.arguments(b"{}", 1)
    assert first == {"names": ["ann"]}


def test_options_say_how_it_is_asked_for() -> None:
    special = mail.using(
        queue="low", priority=9, timeout=timedelta(minutes=2), retries=5, delays=(1, timedelta(minutes=1)),
        title="Mail", retry_on=(ConnectionError, "Busy"), never_on=ValueError, exhausted="dead",
        backoff=Backoff(first_s=1),
    )  # fmt: skip
    wanted = special.wanted(("ann",), {})
    policy = wanted.policy
    assert (wanted.queue, wanted.name, policy.priority, policy.timeout_s) == ("low", "Mail", 9, 120)
    assert (policy.max_retries, policy.retry_delays_s, policy.backoff) == (5, (1.0, 60.0), Backoff(first_s=1))
    assert (policy.retry_on, policy.never_on) == (("ConnectionError", "Busy"), ("ValueError",))
    assert policy.exhausted == "dead"
    assert mail.wanted(("ann",), {}).queue == "default"


def test_an_option_that_there_is_not_is_named() -> None:
    with pytest.raises(TypeError, match="no option prioritty"):
        mail.using(prioritty=1)


def test_a_unique_key_names_parameters() -> None:
    once = mail.using(unique="{to}", unique_for=timedelta(hours=1))
    assert once.wanted(("ann",), {}).unique == Unique(key=f"{mail.job_type}:ann", period_s=3600)
    all_of_it = mail.using(unique=True)
    keys = {all_of_it.wanted((to,), {}).unique for to in ("ann", "ann", "ben")}
    assert len(keys) == 2
    with pytest.raises(BadParameters, match="no parameter"):
        mail.using(unique="{colour}").wanted(("ann",), {})


def test_functions_that_cannot_be_jobs_are_refused_at_once() -> None:
    def anything(*args: int) -> None: ...

    def two(a: JobContext, b: JobContext) -> None: ...

    async def on_the_loop() -> None: ...

    for function in (anything, two):
        with pytest.raises(TypeError):
            job(function)
    with pytest.raises(TypeError, match="process of its own"):
        job(process=True)(on_the_loop)


def test_a_worker_needs_jobs_and_no_two_of_one_type() -> None:
    with pytest.raises(NoJobs):
        Worker([])
    with pytest.raises(ValueError, match="two jobs are called"):
        Worker([mail, job(name=mail.job_type)(nothing)])


def test_versions_are_cast_up_step_by_step() -> None:
    @job(name="m", version=3, upcast={1: lambda old: {"to": old["address"]}, 2: lambda old: {**old, "urgent": False}})
    def newest(to: str, urgent: bool) -> None: ...

    assert newest.arguments(b'{"address": "ann"}', 1) == {"to": "ann", "urgent": False}
    assert newest.arguments(b'{"to": "ann"}', 2) == {"to": "ann", "urgent": False}
    with pytest.raises(BadParameters, match="versions up to 3"):
        newest.arguments(b"{}", 4)


SCRIPT = """
from linstock import job
@job
def noted() -> None: ...
print(noted.job_type)
"""


def test_a_script_knows_its_jobs_by_the_name_that_its_worker_imports(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    for words in (["app.py"], ["-m", "app"]):
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == "app.noted\n"


SERVER = "asyncpg eventsourcing faststream litestar prometheus_client psycopg uvicorn uvloop watchfiles PIL services"
WITHOUT = f"""
import sys
class No:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {SERVER.split()!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, No())
import linstock
for name in linstock.__all__:
    getattr(linstock, name)
from linstock.cli import main, job, queue, worker, working
print("all there")
"""


def test_an_application_needs_no_server_package() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("all there\n", "")
