from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="procrastinate",
    store=Store.POSTGRES,
    worker=(
        *("-m", "procrastinate", "--log-level", "warning", "--app", "procrastinate_app.app"),
        *("worker", "--concurrency", "20"),
    ),
    setting="20 coroutines",
    bulk=Bulk.BATCH,
)
