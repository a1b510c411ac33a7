from tests.bench.peers.peer import Bulk, Peer, Store

PEER = Peer(
    name="linstock",
    store=Store.LINSTOCK,
    worker=("-m", "linstock", "worker", "linstock_app", "--alone"),
    setting="100 coroutines",
    bulk=Bulk.BATCH,
)
"""Ourselves, by the same client and in the same run. Its services share the machine with its one worker."""
