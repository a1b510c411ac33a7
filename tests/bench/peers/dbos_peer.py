from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="dbos",
    store=Store.POSTGRES,
    worker=("-m", "dbos_app"),
    setting="unlimited, polls every 1 s (default)",
    bulk=Bulk.TRANSACTION,
    most_jobs=2000,
)
