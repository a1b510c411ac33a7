from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="pgqueuer",
    store=Store.POSTGRES,
    worker=("-m", "pgqueuer_app"),
    setting="asyncpg, batches of 100",
    bulk=Bulk.BATCH,
)
