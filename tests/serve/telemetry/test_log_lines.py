"""The lines of the log, as text and as JSON."""

import json
import logging
import re
import subprocess
import sys
import time

import pytest

from sagetree.machine.program import LOG, start_logging
from sagetree.serve.telemetry.log_lines import (
    LINE_FORMATS,
    json_line,
    set_log_format,
    text_line,
    write_line,
)
from sagetree.serve.telemetry.observation import Trace, trace_id
from sagetree.serve.variables import LOG_FORMATS

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_the_phases_of_all_slices_add_up_to_the_whole() -> None:
    seen = Trace("abc", "POST", "/invocations", 120)
    for _ in range(3):
        for phase in ("decode", "transform", "score"):
            time.sleep(0.001)
            seen.reached(phase)
    seen.finish(200, 60)
    assert list(seen.phase_seconds) == ["decode", "transform", "score"]
    assert all(seconds >= 0.003 for seconds in seen.phase_seconds.values())
    assert 0 <= seen.seconds - sum(seen.phase_seconds.values()) < 0.001


def answered() -> Trace:
    seen = Trace("abc", "POST", "/invocations", 120)
    seen.trace_id = trace_id("Root=1-5759e988-bd862e3fe1be46a")
    seen.phase_seconds = {"decode": 0.0004, "transform": 0.0001}
    seen.rows, seen.model = 3, "claims"
    seen.error, seen.reason = "SchemaError", "line 1: there are 2 columns"
    seen.finish(422, 60)
    seen.seconds = 0.00125
    return seen


def test_a_text_line_has_every_fact():
    time, _, line = text_line(answered()).partition(" ")
    assert re.fullmatch(TIME, time)
    assert line == (
        "abc POST /invocations 422 rows=3 bytes_in=120 bytes_out=60 ms=1.25 "
        "decode=0.40 transform=0.10 model=claims trace=Root=1-5759e988-bd862e3fe1be46a "
        "error=SchemaError reason=line 1: there are 2 columns"
    )


def test_a_json_line_has_the_same_facts():
    line = json.loads(json_line(answered()))
    assert re.fullmatch(TIME, line.pop("time"))
    assert line == {
        "level": "INFO", "request_id": "abc", "method": "POST", "route": "/invocations",
        "status": 422, "rows": 3, "bytes_in": 120, "bytes_out": 60, "ms": 1.25, "decode": 0.4,
        "transform": 0.1, "model": "claims", "trace": "Root=1-5759e988-bd862e3fe1be46a",
        "error": "SchemaError", "reason": "line 1: there are 2 columns",
    }  # fmt: skip


def test_what_is_not_known_is_not_in_the_line():
    seen = Trace("1", "GET", "/ping", 0)
    seen.finish(200, 0)
    line = text_line(seen).partition(" ")[2]
    assert line.startswith("1 GET /ping 200 rows=0 bytes_in=0 bytes_out=0 ms=0.")
    assert not {"decode", "model", "trace", "error", "reason"} & json.loads(json_line(seen)).keys()


@pytest.mark.parametrize(
    "header",
    ["", "Smith", "name=Smith", "Root=Smith", "Root=1-5759e988 Smith", "Root=" + "1" * 400],
)
def test_a_trace_header_of_another_form_is_not_logged(header: str):
    assert trace_id(header) == ""


def test_events_are_json_too(capsys: pytest.CaptureFixture[str]):
    start_logging()
    set_log_format("json")
    LOG.info("serving %s", "größe")
    LOG.error("failed", exc_info=ValueError("a reason"))
    event, failure = map(json.loads, capsys.readouterr().out.splitlines())
    assert (event["level"], event["message"]) == ("INFO", "serving größe")
    assert (failure["level"], failure["message"]) == ("ERROR", "failed")
    assert failure["traceback"] == "ValueError: a reason"


def test_text_is_the_default(capsys: pytest.CaptureFixture[str]):
    start_logging()
    set_log_format("text")
    LOG.log(logging.INFO, "serving")
    assert capsys.readouterr().out == "serving\n"


def test_a_line_is_written_whole(capfd: pytest.CaptureFixture[str]):
    sys.stdout.flush()
    write_line("größe")
    assert capfd.readouterr().out == "größe\n"


def test_a_log_that_nobody_reads_stops_no_request():
    code = (
        "import os\nfrom sagetree.serve.telemetry.log_lines import write_line\n"
        "os.close(1)\nwrite_line('x')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_format_that_the_settings_know_has_its_lines():
    assert tuple(LINE_FORMATS) == LOG_FORMATS
