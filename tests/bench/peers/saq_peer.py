from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="saq",
    store=Store.REDIS,
    worker=("-m", "saq", "saq_app.settings"),
    setting="100 coroutines",
    bulk=Bulk.GATHER,
)
