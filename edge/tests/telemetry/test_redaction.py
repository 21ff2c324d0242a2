"""What of a query may be logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium_edge.telemetry.redaction import MAX_LOGGED_QUERY_BYTES, redact_query


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"", ""),
        (b"page=2&sort=name", "page=2&sort=name"),
        (b"token=abc", "token=REDACTED"),
        (b"a=1&access_token=abc&b=2", "a=1&access_token=REDACTED&b=2"),
        (b"API_KEY=abc&Password=x", "API_KEY=REDACTED&Password=REDACTED"),
        (b"code=abc&state=xyz", "code=REDACTED&state=xyz"),
        (b"id_token_hint=a.b.c", "id_token_hint=REDACTED"),
        (b"%74oken=abc&page=2", "%74oken=REDACTED&page=REDACTED"),
        (b"page=2&to%6ben=abc", "page=REDACTED&to%6ben=REDACTED"),
        (b"name=J%C3%BCrgen", "name=J%C3%BCrgen"),
        (b"token", "token"),
        (b"token=a=b", "token=REDACTED"),
        (b"q=" + b"x" * 1000, "q=" + "x" * (MAX_LOGGED_QUERY_BYTES - 2) + "…"),
    ],
)
def test_secret_values_are_cut_out(query: bytes, shown: str) -> None:
    assert redact_query(query) == shown


@given(
    st.lists(
        st.tuples(st.sampled_from([b"token", b"a", b"Api-Key", b"to%6Ben"]), st.integers(10**8, 10**9)),
        max_size=6,
    )
)
def test_no_value_of_a_secret_parameter_is_ever_shown(pairs: list[tuple[bytes, int]]) -> None:
    numbered = [(name, value * 10 + place) for place, (name, value) in enumerate(pairs)]

    shown = redact_query(b"&".join(b"%b=%d" % pair for pair in numbered))

    assert not any(str(value) in shown for name, value in numbered if name != b"a")
