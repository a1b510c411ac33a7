from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="arq",
    store=Store.REDIS,
    worker=("-m", "arq", "arq_app.WorkerSettings", "--custom-log-dict", "arq_app.QUIET"),
    setting="100 coroutines, polls every 0.5 s (default)",
    bulk=Bulk.GATHER,
)
