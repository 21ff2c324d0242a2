"""Problem documents say what the caller may know, and nothing else."""

import orjson
import pytest

from trivium_common import errors
from trivium_common.errors import TriviumError, problem, render_problem, retry_after_header


def all_errors(cls: type[TriviumError] = TriviumError) -> list[type[TriviumError]]:
    return [cls] + [found for sub in cls.__subclasses__() for found in all_errors(sub)]


def test_codes_are_stable_names_and_each_means_one_status():
    statuses: dict[str, set[int]] = {}
    for error in all_errors():
        assert error.code.replace("_", "").isalpha()
        statuses.setdefault(error.code, set()).add(error.status)
    # invalid_input is the branch's own code too: 400 in general, 422 where a value is wrong
    assert {code: seen for code, seen in statuses.items() if len(seen) > 1} == {"invalid_input": {400, 422}}


def test_our_faults_hide_their_detail_and_callers_see_theirs():
    hidden = render_problem(errors.UpstreamFailed("10.0.0.7:4001 said Traceback"), "r1")
    assert b"Traceback" not in hidden
    assert orjson.loads(hidden)["instance"] == "r1"
    shown = problem(errors.InvalidInput("limit must be at most 100"), "r1")
    assert shown["detail"] == "limit must be at most 100"
    assert shown["status"] == 422


def test_a_limit_refusal_carries_the_members_that_clients_know():
    document = problem(errors.RateLimited(retry_after_s=1.2), "r1")
    assert document["error"] == "Rate limit exceeded"
    assert document["retry_after"] == 2


@pytest.mark.parametrize(
    ("seconds", "header"), [(0, "1"), (0.2, "1"), (1.0, "1"), (1.001, "2"), (59.9, "60")]
)
def test_retry_after_rounds_up_so_that_waiting_it_is_enough(seconds, header):
    assert retry_after_header(seconds) == header
