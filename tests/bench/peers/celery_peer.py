from tests.bench.peers.peer import Peer, Store

PEER = Peer(
    name="celery",
    store=Store.REDIS,
    worker=("-m", "celery", "--app", "celery_app", "worker", "--concurrency", "1"),
    setting="prefork, 1 process",
)
