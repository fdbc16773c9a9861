"""One line an event."""

import subprocess
import sys

import orjson

PROGRAM = """
import logging, uuid, structlog
from picture import logs
logs.configure({form!r}, "info", role="api")
log = structlog.get_logger()
log.info("generation", id=uuid.UUID(int=1))
log.debug("unheard")
password = "hunter2"
try:
    1 / 0
except ZeroDivisionError as error:
    log.exception("failed")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
logging.getLogger("somebody").info("plain %d", 3)
logging.getLogger("uvicorn.error").info("unheard")
"""


def logged(form: str) -> str:
    program = PROGRAM.format(form=form)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr


def test_everybody_logs_lines_of_json_and_a_traceback_comes_once() -> None:
    lines = [orjson.loads(line) for line in logged("auto").splitlines()]
    assert [line["event"] for line in lines] == ["generation", "failed", "Exception in ASGI application", "plain 3"]
    assert {line["role"] for line in lines} == {"api"}
    assert lines[0]["id"] == "00000000-0000-0000-0000-000000000001"
    assert "ZeroDivisionError" in lines[1]["exception"]
    assert "exception" not in lines[2]
    assert lines[2]["error"] == "ZeroDivisionError: division by zero"
    assert lines[3]["logger"] == "somebody"


def test_a_traceback_shows_no_values() -> None:
    text = logged("pretty")
    assert text.count("Traceback") == 1
    assert "unheard" not in text
    assert "hunter2" not in text
