"""The eventsourcing library's own test case for recorders, run on ours; and the trap that its SQL function is."""

import sys
from types import ModuleType
from unittest import mock

import pytest

from linstock.eventlog.recorder import LogDatastore, LogRecorder

# The library's test cases import its ciphers, which want a package that nothing of ours uses.
_cipher = ModuleType("eventsourcing.cipher")
_cipher.AESCipher = None  # type: ignore[attr-defined]
with mock.patch.dict(sys.modules, {"eventsourcing.cipher": _cipher}):
    from eventsourcing.tests import persistence


class TestLogRecorder(persistence.ApplicationRecorderTestCase[LogRecorder]):
    INITIAL_VERSION = 1
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    # 100,000 events and a stopwatch: tests/integration/eventlog/test_gaps.py proves more with fewer.
    test_concurrent_no_conflicts = None  # type: ignore[assignment]
    test_performance = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _database(self, database_url: str) -> None:
        self.database_url = database_url

    def create_recorder(self) -> LogRecorder:
        datastore = LogDatastore(self.database_url, schema="public", pool_size=2)
        self.addCleanup(datastore.close)
        recorder = LogRecorder(datastore)
        recorder.create_table()
        return recorder

    def test_there_is_no_function_that_inserts_without_the_lock(self) -> None:
        recorder = self.create_recorder()
        with recorder.datastore.get_connection() as connection:
            found = connection.execute("SELECT FROM pg_proc WHERE proname LIKE 'es_insert_events%'").fetchall()
        assert found == []
