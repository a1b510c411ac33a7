"""Jobs of an application, in one file.

linstock up --detach                # Linstock itself, once
linstock worker app                 # runs the jobs below, until stopped
python app.py                       # asks for them, in another terminal
"""

import asyncio
import sys

from linstock import Client, JobContext, NotCompleted, job


@job(retries=3, delays=(1, 5, 30))
async def send_mail(to: str, subject: str) -> str:
    """Async functions run on the worker's loop."""
    return f"{subject!r} is on its way to {to}"


@job(queue="reports", unique="{month}")
def make_report(context: JobContext, month: str, pages: int = 4) -> int:
    """Plain functions run in threads. There is one report a month at a time, however often it is asked for."""
    done = context.checkpoint(int) or 0  # what an attempt before this one kept
    for page in range(done, pages):
        context.check()  # ends here when the job is cancelled
        context.progress(page / pages, f"{month}: page {page + 1} of {pages}")
        context.keep(page + 1)
    return pages


@job(retries=0)
async def charge(card: str) -> None:
    raise PermissionError(f"card {card} has expired")


async def main() -> None:
    async with Client() as linstock:
        mail = await linstock.enqueue(send_mail, to="ann@example.com", subject="Welcome")
        print("at once:      ", await mail.result(str))

        later = await linstock.delay(2, send_mail, to="ann@example.com", subject="How is it going?")
        print("delayed:      ", (await later.status()).status, "…", await later.result(str))

        report = await linstock.enqueue(make_report, month="2026-11")
        note = await linstock.continue_with(report, send_mail, to="boss@example.com", subject="The report is there")
        print("continuation: ", await note.result(str))

        payment = await linstock.enqueue(charge, card="4242")
        sorry = await linstock.continue_with(
            payment, send_mail, to="ann@example.com", subject="Your card", on="failure"
        )
        try:
            await payment.result()
        except NotCompleted as failed:
            print("failure:      ", failed.status, "-", failed.message)
        print("continuation: ", await sorry.result(str))

        many = await linstock.enqueue_many(
            send_mail, [{"to": f"user{n}@example.com", "subject": "News"} for n in range(500)]
        )
        told = await linstock.wait_for_all(many)
        print("many:         ", sum(each.status == "Completed" for each in told), "of", len(many), "completed")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
