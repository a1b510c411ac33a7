import json
import subprocess
import sys
from pathlib import Path

import pytest

from linstock.telemetry import MASK, mask_secrets
from services.up.logstream import LogStream

TRIAL = """
import logging, structlog
from linstock.telemetry import configure_logging
configure_logging("json", "trial")
structlog.get_logger().info("connected", url="nats://u:hunter2@h", password="hunter2", count=3)
logging.getLogger("a.library").warning("from a library: %s", "postgresql://u:hunter2@h/db")
logging.getLogger("asyncpg.pool").warning("Failed to restore the pool; retrying", exc_info=True)
try:
    raise OSError("cannot reach nats://u:hunter2@h")
except OSError:
    structlog.get_logger().exception("it broke")
"""


def test_ours_and_a_librarys_lines_are_one_stream_without_secrets() -> None:
    done = subprocess.run([sys.executable, "-c", TRIAL], capture_output=True, text=True, timeout=30, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"], line["service"]) for line in lines] == [
        ("connected", "info", "trial"),
        (f"from a library: postgresql://u:{MASK}@h/db", "warning", "trial"),
        ("it broke", "error", "trial"),
    ]
    assert lines[0]["count"] == 3
    assert "Traceback" in lines[2]["exception"]
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("postgresql://u:p@/db?host=x", f"postgresql://u:{MASK}@/db?host=x"),
        (["nats://u:p@h"], [f"nats://u:{MASK}@h"]),
        ("nats://word@h:4222, tls://w@h", f"nats://{MASK}@h:4222, tls://{MASK}@h"),
        ("postgresql://u@h/db?password=p&host=x", f"postgresql://u@h/db?password={MASK}&host=x"),
        (f"GET /x?token=linstock_{'a' * 43}&y", f"GET /x?token=linstock_{MASK}&y"),
        (f"Bearer linstock_{'-_' * 21}A", f"Bearer linstock_{MASK}"),
        ({"token": "t", "kept": 1}, {"token": MASK, "kept": 1}),
        ("http://127.0.0.1:8321/@me", "http://127.0.0.1:8321/@me"),
    ],
)
def test_masking_reaches_inside_values(value: object, masked: object) -> None:
    assert mask_secrets(None, "", {"field": value}) == {"field": masked}


def test_the_merged_log_keeps_json_lines_and_wraps_text(tmp_path: Path) -> None:
    stream = LogStream("json", tmp_path / "log", None)
    stream.line("scanner", '{"event": "began", "level": "info", "timestamp": "2026-01-01T00:00:00Z"}')
    stream.line("scanner", "Segmentation fault")
    stream.line("scanner", "")
    stream.close()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["service"], line["level"], line["event"]) for line in lines] == [
        ("scanner", "info", "began"),
        ("scanner", "error", "Segmentation fault"),
    ]


def test_the_console_log_names_time_and_service_first(tmp_path: Path) -> None:
    stream = LogStream("console", tmp_path / "log", None)
    stream.line("scanner", '{"event": "began", "level": "info", "timestamp": "2026-01-01T12:34:56.789Z", "pages": 2}')
    stream.close()
    words = (tmp_path / "log").read_text().split()
    assert words[:2] == ["12:34:56.789", "scanner"]
    assert words[-1] == "pages=2"
