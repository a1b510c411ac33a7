from tests.bench.peers.peer import Peer, Store

PEER = Peer(
    name="dramatiq",
    store=Store.REDIS,
    worker=("-m", "dramatiq", "dramatiq_app", "--processes", "1", "--threads", "8"),
    setting="8 threads (default), keeps no results",
)
