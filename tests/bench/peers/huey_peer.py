from tests.bench.peers.peer import Peer, Store

PEER = Peer(
    name="huey",
    store=Store.REDIS,
    worker=("-m", "huey.bin.huey_consumer", "huey_app.huey", "--workers", "1", "--quiet"),
    setting="1 thread (default)",
)
