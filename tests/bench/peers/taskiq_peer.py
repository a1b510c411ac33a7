from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="taskiq",
    store=Store.REDIS,
    worker=("-m", "taskiq", "worker", "taskiq_app:broker", "--workers", "1", "--log-level", "WARNING"),
    setting="redis stream, 100 coroutines",
    bulk=Bulk.GATHER,
)
