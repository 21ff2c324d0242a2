"""Log lines cannot be forged by what they quote."""

import io
import logging

import orjson
import pytest

from trivium_common.observability.context import (
    is_valid_request_id,
    is_valid_traceparent,
    request_id_var,
)
from trivium_common.observability.logs import setup_logging
from trivium_common.settings import LogFormat


@pytest.fixture
def root_logger():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = before, level


def test_a_json_line_carries_fields_and_the_request_id(root_logger):
    out = io.StringIO()
    setup_logging("web", LogFormat.JSON, out)
    token = request_id_var.set("r-1")
    try:
        logging.getLogger("trivium").warning("slow\nanswer", extra={"upstream": "orders"})
    finally:
        request_id_var.reset(token)
    (line,) = out.getvalue().splitlines()
    parsed = orjson.loads(line)
    assert parsed["message"] == "slow\nanswer"
    assert (parsed["service"], parsed["upstream"], parsed["request_id"]) == ("web", "orders", "r-1")


def test_a_text_line_spells_control_characters_out(root_logger):
    out = io.StringIO()
    setup_logging("web", LogFormat.TEXT, out)
    logging.getLogger("trivium").info("path %s", "/a\n\x1b[31mFAKE", extra={"agent": "x\ny"})
    (line,) = out.getvalue().splitlines()
    assert "\x1b" not in line
    assert "agent=x\\ny" in line


@pytest.mark.parametrize("value", [b"", b"a" * 129, b"a b", b"a\nb", b"\xff"])
def test_request_ids_from_outside_are_kept_only_when_harmless(value):
    assert not is_valid_request_id(value)
    assert is_valid_request_id(b"req_1.A-2")


def test_traceparents_follow_the_specification():
    assert is_valid_traceparent(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    for wrong in (b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"00-xyz", b"a" * 5000):
        assert not is_valid_traceparent(wrong)
