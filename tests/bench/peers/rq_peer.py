from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="rq",
    store=Store.REDIS,
    worker=("-m", "rq.cli", "worker", "--url", "{url}", "--quiet"),
    setting="a fork per job (default)",
    bulk=Bulk.BATCH,
    most_jobs=500,
)
