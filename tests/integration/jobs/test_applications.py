"""Jobs of an application, from the call that asks for them to the result."""

import asyncio
import os
import threading
import time
from datetime import timedelta

import pytest
from msgspec import Struct

from linstock import (
    BadParameters,
    BlockingClient,
    Client,
    Fail,
    JobContext,
    NotAccepted,
    NotCompleted,
    PayloadTooLarge,
    Snooze,
    UnknownJob,
    job,
    names,
)
from tests.integration.jobs import app
from tests.integration.jobs.conftest import StartWorker


class Point(Struct):
    x: int
    y: int


async def test_jobs_run_on_the_loop_in_threads_and_in_processes(client: Client, start_worker: StartWorker) -> None:
    await start_worker(app.add, app.shout, app.pid)
    added, shouted, told = await asyncio.gather(
        client.enqueue(app.add, 2, b=3), client.enqueue(app.shout, "hey"), client.enqueue(app.pid)
    )
    assert await added.result(int) == 5
    assert await shouted.result() == "HEY"
    assert await told.result() not in (os.getpid(), None)
    status = await added.status()
    assert (status.status, status.attempt, status.job_type) == ("Completed", 1, "tests.integration.jobs.app.add")


async def test_typed_parameters_and_results_survive_the_journey(client: Client, start_worker: StartWorker) -> None:
    @job(name="mirror")
    async def mirror(point: Point, tags: tuple[str, ...] = ()) -> tuple[Point, list[str]]:
        assert isinstance(point, Point)
        return Point(point.y, point.x), sorted(tags)

    await start_worker(mirror)
    handle = await client.enqueue(mirror, Point(1, 2), tags=("b", "a"))
    assert await handle.result(tuple[Point, list[str]]) == (Point(2, 1), ["a", "b"])


async def test_what_does_not_fit_is_refused_before_anything_is_sent(client: Client) -> None:
    for given in (("one",), (1, 2, 3), ()):
        with pytest.raises(BadParameters):
            await client.enqueue(app.add, *given)
    with pytest.raises(PayloadTooLarge):
        await client.enqueue(app.shout, "x" * 300_000)
    with pytest.raises(NotAccepted) as refused:
        await client.enqueue(app.add.using(queue="No Such"), 1)
    assert (refused.value.code, refused.value.field) == ("invalid", "jobs/0/queue")


async def test_a_delayed_job_runs_when_it_is_due(client: Client, start_worker: StartWorker) -> None:
    await start_worker(app.add)
    handle = await client.delay(timedelta(seconds=1), app.add, 1)
    assert (await handle.status()).status == "Scheduled"
    told = await handle.wait(10)
    assert told.started_at
    assert 1.0 <= (told.started_at - told.requested_at).total_seconds() < 1.5


async def test_a_job_is_retried_until_it_succeeds_or_has_failed_often_enough(
    client: Client, start_worker: StartWorker
) -> None:
    await start_worker(app.flaky)
    mended, broken = await client.enqueue(app.flaky, "mended", 2), await client.enqueue(app.flaky, "broken", 9)
    assert await mended.result(timeout=10) == 3
    told = await broken.wait(10)
    assert (told.status, told.attempt, told.code, told.message) == ("Failed", 3, "ConnectionResetError", "run 3")
    with pytest.raises(NotCompleted):
        await broken.result()
    again = await client.retry(broken)
    assert (await client.retry(broken)).id == again.id
    assert (await again.wait(10)).status == "Failed"
    with pytest.raises(NotAccepted, match="nothing to do again"):
        await client.retry(mended)


async def test_classes_of_errors_say_what_is_retried(client: Client, start_worker: StartWorker) -> None:
    await start_worker(app.flaky)
    never = await client.enqueue(app.flaky.using(never_on=(OSError,)), "never", 9)
    only = await client.enqueue(app.flaky.using(retry_on=ConnectionError), "only", 9)
    assert (await never.wait(10)).attempt == 1
    assert (await only.wait(10)).attempt == 3


async def test_a_job_may_say_that_no_retry_helps_or_that_it_is_too_early(
    client: Client, start_worker: StartWorker
) -> None:
    seen: list[int] = []

    @job(name="later", retries=0)
    async def later(context: JobContext) -> int:
        seen.append(context.attempt)
        if context.attempt < 3:
            raise Snooze(0.05, "not there yet")
        raise Fail("never will be", code="gone")

    await start_worker(later)
    told = await (await client.enqueue(later)).wait(10)
    assert (told.status, told.code, told.message, seen) == ("Failed", "gone", "never will be", [1, 2, 3])


async def test_a_continuation_waits_for_its_parents_and_how_they_end(client: Client, start_worker: StartWorker) -> None:
    started = asyncio.Event()
    gate = asyncio.Event()

    @job(name="gated", retries=0)
    async def gated(fails: bool) -> None:
        started.set()
        await gate.wait()
        if fails:
            raise ValueError("as told")

    parents = [await client.enqueue(gated, fails) for fails in (False, True)]
    good = await client.continue_with(parents[0], app.add, 1)
    both = await client.continue_with(parents, app.add, 2, on="either")
    rescue = await client.continue_with(parents[1], app.add, 3, on="failure")
    never = await client.continue_with(parents[1], app.add, 4)
    chain = await client.continue_with(never, app.add, 5, on="either")
    await start_worker(gated, app.add)
    await started.wait()
    assert (await good.status()).status == "Pending"
    gate.set()
    assert [await each.result(timeout=10) for each in (good, both, rescue, chain)] == [2, 3, 4, 6]
    told = await never.wait(10)
    assert told.status == "Cancelled"
    assert told.message == f"it waited for the success of job {parents[1].id}, which has failed"
    late = await client.continue_with(parents[1], app.add, 6, on="failure")
    assert await late.result(timeout=10) == 7
    with pytest.raises(NotAccepted, match="there is no job"):
        await client.continue_with(names.derived_id("no", "such"), app.add, 1)


async def test_a_unique_job_is_the_only_one_also_in_a_race(client: Client, start_worker: StartWorker) -> None:
    gate = asyncio.Event()

    @job(name="only", unique="{number}")
    async def only(number: int, note: str) -> str:
        await gate.wait()
        return note

    await start_worker(only)
    handles = await asyncio.gather(*(client.enqueue(only, 7, f"note {each}") for each in range(20)))
    other = await client.enqueue(only, 8, "other")
    assert len({handle.id for handle in handles}) == 1
    assert sorted(handle.duplicate for handle in handles) == [False] + [True] * 19
    gate.set()
    assert (await handles[0].result(timeout=10)).startswith("note")
    assert not other.duplicate
    again = await client.enqueue(only, 7, "again")
    assert not again.duplicate
    assert again.id != handles[0].id
    for_long = only.using(unique_for=3600)
    first, second = await client.enqueue(for_long, 9, "first"), await client.enqueue(for_long, 9, "second")
    await first.wait(10)
    third = await client.enqueue(for_long, 9, "third")
    assert (second.id, third.id, third.duplicate) == (first.id, first.id, True)


async def test_a_cancelled_job_is_told_to_end(client: Client, start_worker: StartWorker) -> None:
    running, ended = asyncio.Event(), asyncio.Event()
    in_thread, thread_ended = threading.Event(), threading.Event()

    @job(name="sleeper")
    async def sleeper() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @job(name="spinner")
    def spinner(context: JobContext) -> None:
        in_thread.set()
        try:
            while True:
                context.check()
        finally:
            thread_ended.set()

    await start_worker(sleeper, spinner)
    first, second = await client.enqueue(sleeper), await client.enqueue(spinner)
    await running.wait()
    await asyncio.to_thread(in_thread.wait, 10)
    for handle in (first, second):
        await handle.cancel("not wanted any more")
        told = await handle.status()
        assert (told.status, told.message) == ("Cancelled", "not wanted any more")
    await asyncio.wait_for(ended.wait(), 5)
    assert await asyncio.to_thread(thread_ended.wait, 5)
    await first.cancel("twice is once")
    waiting = await client.enqueue(app.add, 1)
    await waiting.cancel()
    assert (await waiting.status()).status == "Cancelled"


async def test_what_ignores_being_cancelled_is_given_up_and_its_slot_is_free(
    client: Client, start_worker: StartWorker
) -> None:
    running = threading.Event()
    release = threading.Event()

    @job(name="deaf")
    def deaf() -> None:
        running.set()
        release.wait(30)

    await start_worker(deaf, app.add, concurrency=1)
    handle = await client.enqueue(deaf)
    await asyncio.to_thread(running.wait, 10)
    await handle.cancel()
    assert await (await client.enqueue(app.add, 1)).result(timeout=10) == 2
    release.set()


async def test_hostile_jobs_end_with_a_verdict_and_the_worker_lives(client: Client, start_worker: StartWorker) -> None:
    @job(name="unserialisable")
    async def unserialisable() -> object:
        return object()

    @job(name="large")
    async def large() -> str:
        return "x" * 300_000

    @job(name="leaves", retries=0)
    async def leaves() -> None:
        raise SystemExit(3)

    @job(name="leaves_thread", retries=0)
    def leaves_thread() -> None:
        raise KeyboardInterrupt

    @job(name="unknown", retries=0)
    async def unknown() -> None: ...

    @job(name="timeout", timeout=1)
    async def slow() -> None:
        await asyncio.Event().wait()

    await start_worker(unserialisable, large, leaves, leaves_thread, app.die, slow, app.add)
    wanted = (unserialisable, large, leaves, leaves_thread, unknown, app.die, slow)
    handles = [await client.enqueue(each) for each in wanted]
    told = await client.wait_for_all(handles, 20)
    assert [(each.status, each.code) for each in told] == [
        ("Failed", "result_not_serialisable"),
        ("Failed", "result_too_large"),
        ("Failed", "Exited"),
        ("Failed", "Exited"),
        ("Failed", "unknown_type"),
        ("Failed", "ProcessDied"),
        ("Timeout", "timeout"),
    ]
    assert await (await client.enqueue(app.add, 1)).result() == 2


async def test_a_stopped_worker_hands_back_and_the_next_goes_on_from_the_checkpoint(
    client: Client, start_worker: StartWorker
) -> None:
    reached = asyncio.Event()

    @job(name="long", retries=0)
    async def long(context: JobContext) -> list[object]:
        before = context.checkpoint(int)
        if before is None:
            context.keep(41)
            reached.set()
            await asyncio.Event().wait()
        return [before, context.attempt]

    first = await start_worker(long)
    handle = await client.enqueue(long)
    await reached.wait()
    await first.stop()
    began_s = time.monotonic()
    await start_worker(long)
    assert await handle.result(timeout=10) == [41, 2]
    assert time.monotonic() - began_s < 5


async def test_old_parameters_are_cast_up(client: Client, start_worker: StartWorker) -> None:
    @job(name="greet")
    async def old(name: str) -> str:
        raise AssertionError(name)

    def with_greeting(parameters: dict[str, object]) -> dict[str, object]:
        return {"greeting": "Hello", **parameters}

    @job(name="greet", version=2, upcast={1: with_greeting})
    async def new(greeting: str, name: str) -> str:
        return f"{greeting} {name}"

    handle = await client.enqueue(old, "Ann")
    await start_worker(new)
    assert await handle.result() == "Hello Ann"


async def test_important_queues_go_first(client: Client, start_worker: StartWorker) -> None:
    order: list[str] = []

    @job(name="note")
    async def note(text: str) -> None:
        order.append(text)

    for each in range(10):
        await client.enqueue(note.using(queue="low"), f"low {each}")
    last = await client.enqueue(note.using(queue="low"), "low last")
    for each in range(10):
        await client.enqueue(note.using(queue="critical"), f"critical {each}")
    await start_worker(note, queues=("critical", "low"), concurrency=1)
    await last.wait(20)
    # Some orders of the low queue stood on WORK before anybody served it, so it is no strict order.
    places = {name: [at for at, each in enumerate(order) if each.startswith(name)] for name in ("critical", "low")}
    assert sum(places["critical"]) / 10 < sum(places["low"]) / 11


async def test_many_jobs_in_one_call(client: Client, start_worker: StartWorker) -> None:
    await start_worker(app.add, concurrency=50)
    handles = await client.enqueue_many(app.add, [{"a": each} for each in range(1200)], idempotency_key="many")
    again = await client.enqueue_many(app.add, [{"a": each} for each in range(1200)], idempotency_key="many")
    assert [handle.id for handle in again] == [handle.id for handle in handles]
    told = await client.wait_for_all(handles, 60)
    assert [bytes(each.result) for each in told] == [str(each + 1).encode() for each in range(1200)]


async def test_code_that_is_not_async_asks_as_well(linstock: str, start_worker: StartWorker) -> None:
    await start_worker(app.add)

    def ask() -> object:
        with BlockingClient(linstock) as client:
            handle = client.enqueue(app.add, 1)
            assert client.status(handle).job_type.endswith("add")
            return client.result(handle, int, timeout=10)

    assert await asyncio.to_thread(ask) == 2


async def test_filters_run_around_each_attempt(client: Client, start_worker: StartWorker) -> None:
    seen: list[str] = []

    async def before(context: JobContext, parameters: object) -> None:
        seen.append(f"before {context.job_type.rpartition('.')[2]} {parameters}")

    def after(context: JobContext, _: object) -> None:
        seen.append(f"after {context.attempt}")

    await start_worker(app.add, before=[before], after=[after])
    await (await client.enqueue(app.add, 1)).wait(10)
    assert seen == ["before add {'a': 1, 'b': 1}", "after 1"]


async def test_who_asks_about_what_there_is_not_is_told(client: Client) -> None:
    with pytest.raises(UnknownJob):
        await client.status(names.derived_id("no", "such"))


async def test_a_worker_of_another_workspace_gets_nothing(
    linstock: str, client: Client, start_worker: StartWorker
) -> None:
    await start_worker(app.add, workspace="other")
    handle = await client.enqueue(app.add, 1)
    async with Client(linstock, workspace="other") as other:
        assert await (await other.enqueue(app.add, 2)).result(timeout=10) == 3
        with pytest.raises(UnknownJob):
            await other.status(handle)
    assert (await handle.status()).status == "Pending"
