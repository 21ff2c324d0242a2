"""Browser, phone and device, each through the edge to its own BFF."""

import httpx
from running_stack import RunningStack


def test_every_printed_curl_line_works(stack: RunningStack) -> None:
    """What `trivium up` prints can be pasted, the refusals among them."""
    results = stack.run_curls()
    assert len(results) >= 6
    assert {result.expected for result in results} >= {200, 401, 403}
    assert [result for result in results if result.status != result.expected] == []
    assert [result for result in results if '"errors"' in result.body] == []


def test_browser_gets_users_orders_and_products_in_one_query(stack: RunningStack, edge: httpx.Client) -> None:
    """Three services behind one GraphQL answer, for the person in the token."""
    query = "{ me { id name orders(first: 2) { edges { node { lines { quantity product { name } } } } } } }"
    answer = edge.post("/api/web/graphql", json={"query": query}, headers=stack.authorize("web"))
    assert answer.status_code == 200
    assert "errors" not in answer.json()
    me = answer.json()["data"]["me"]
    assert me["id"] == "u1"
    orders = [edge["node"] for edge in me["orders"]["edges"]]
    assert len(orders) == 2
    assert all(line["product"]["name"] for order in orders for line in order["lines"])


def test_phone_gets_a_trimmed_home_screen(stack: RunningStack, edge: httpx.Client) -> None:
    """Complete, marked as made for the phone, and without what the upstream knows beyond the screen."""
    answer = edge.get("/api/mobile/home", headers=stack.authorize("mobile"))
    assert answer.status_code == 200
    assert answer.headers["X-Completeness"] == "complete"
    assert answer.headers["X-Content-Optimized"] == "mobile"
    screen = answer.json()
    assert set(screen) >= {"user", "orders", "products"}
    assert not {"address", "phone", "marketing"} & set(screen["user"])


def test_device_gets_its_state_in_a_few_bytes(stack: RunningStack, edge: httpx.Client) -> None:
    answer = edge.get("/api/iot/devices/d1", headers=stack.authorize("iot"))
    assert answer.status_code == 200
    assert answer.json()["id"] == "d1"
    assert len(answer.content) < 400


def test_answers_carry_the_request_id_and_nothing_internal(stack: RunningStack, edge: httpx.Client) -> None:
    """A valid id of the client's is kept; what BFF and edge say to each other stays between them."""
    headers = stack.authorize("mobile") | {"X-Request-ID": "my-id.7"}
    answer = edge.get("/api/mobile/home", headers=headers)
    assert answer.headers["X-Request-ID"] == "my-id.7"
    assert not [name for name in answer.headers if name.startswith("x-trivium-")]
    replaced = edge.get("/api/mobile/home", headers=headers | {"X-Request-ID": "not valid!"})
    assert replaced.headers["X-Request-ID"] not in ("", "not valid!")


def test_client_cannot_choose_who_it_is(stack: RunningStack, edge: httpx.Client) -> None:
    """Identity headers of a client are removed, with underscores too."""
    forged = {"X-User-ID": "u2", "X_User_ID": "u2", "X-Edge-Identity": "forged", "X-Consumer": "other"}
    answer = edge.get("/api/mobile/home", headers=stack.authorize("mobile") | forged)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == "u1"


def test_bff_refuses_whoever_comes_past_the_edge(stack: RunningStack) -> None:
    """Reaching a BFF's port is not enough."""
    for name, path in (("web", "/graphql?query={me{id}}"), ("mobile", "/home"), ("iot", "/devices/d1")):
        with stack.connect(name) as bff:
            answer = bff.get(path, headers={"X-User-ID": "u1"})
            assert (answer.status_code, answer.json()["code"]) == (401, "edge_identity_required"), name
