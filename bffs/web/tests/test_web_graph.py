"""The graph over users, products and orders: what it answers and how many calls that takes."""

from trivium_common.app.testing import FakeUpstreams

ORDERS_PAGE = """
query ($first: Int!) {
  orders(first: $first) {
    totalCount
    edges { node { id status user { name } lines { quantity product { name price { amount } } } } }
  }
}
"""


async def test_a_page_of_fifty_orders_costs_three_calls(ask, upstreams: FakeUpstreams) -> None:
    answer = await ask(ORDERS_PAGE, {"first": 50})

    orders = [edge["node"] for edge in answer["data"]["orders"]["edges"]]
    assert len(orders) == 50
    assert orders[0]["user"] == {"name": "User 1"}
    assert orders[49]["lines"][2]["product"] == {"name": "Lamp 152", "price": {"amount": 15200}}
    assert [call.service for call in upstreams.calls] == ["orders", "users", "products"]
    assert len(upstreams.calls[2].query["ids"].split(",")) == 150


async def test_the_number_of_calls_does_not_grow_with_the_page(ask, upstreams: FakeUpstreams) -> None:
    await ask(ORDERS_PAGE, {"first": 1})
    few = len(upstreams.calls)
    await ask(ORDERS_PAGE, {"first": 50})

    assert len(upstreams.calls) - few == few == 3


async def test_the_same_thing_asked_for_twice_is_read_once(ask, upstreams: FakeUpstreams) -> None:
    answer = await ask(
        '{ a: user(id: "u2") { name } b: user(id: "u2") { name } me { id } product(id: "p1") { id } }'
    )

    assert answer["data"]["a"] == answer["data"]["b"] == {"name": "User 2"}
    assert sorted(call.service for call in upstreams.calls) == ["products", "users"]
    assert upstreams.calls_to("users")[0].query == {"ids": "u2,u1"}


async def test_me_is_the_signed_viewer_whatever_other_headers_say(ask) -> None:
    answer = await ask("{ me { id name email createdAt } }", **{"x-user-id": "u2"})

    assert answer == {
        "data": {
            "me": {
                "id": "u1",
                "name": "User 1",
                "email": "u1@example.com",
                "createdAt": "2026-01-01T00:00:00Z",
            }
        }
    }


async def test_another_user_is_shown_without_private_fields_and_without_orders(ask) -> None:
    answer = await ask('{ user(id: "u2") { name email phone orders { totalCount } } }')

    assert answer["data"]["user"] == {"name": "User 2", "email": None, "phone": None, "orders": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert answer["errors"][0]["path"] == ["user", "orders"]


async def test_orders_are_the_viewers_own(ask, upstreams: FakeUpstreams) -> None:
    answer = await ask('{ orders { totalCount } me { orders { totalCount } } mine: order(id: "o1") { id } }')

    assert answer["data"]["orders"] == answer["data"]["me"]["orders"] == {"totalCount": 60}
    assert answer["data"]["mine"] == {"id": "o1"}
    pages = [call.query for call in upstreams.calls_to("orders") if "ids" not in call.query]
    assert {query["user_id"] for query in pages} == {"u1"}
    assert {query["sort"] for query in pages} == {"-created_at"}


async def test_somebody_elses_order_is_not_found_like_an_unknown_one(ask) -> None:
    answer = await ask('{ theirs: order(id: "o150") { id } unknown: order(id: "o999") { id } }')

    assert answer["data"] == {"theirs": None, "unknown": None}
    theirs, unknown = answer["errors"]
    assert theirs["message"] == unknown["message"]
    assert theirs["extensions"]["code"] == unknown["extensions"]["code"] == "NOT_FOUND"


async def test_products_are_paged_by_cursors_from_any_edge(ask) -> None:
    query = "query ($after: String) { products(first: 50, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }"
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = (await ask(query, {"after": after}))["data"]["products"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]

    assert seen == [f"p{number}" for number in range(1, 121)]
    assert page["pageInfo"]["hasNextPage"] is False

    first = (await ask(query))["data"]["products"]
    middle = (await ask(query, {"after": first["edges"][9]["cursor"]}))["data"]["products"]
    assert middle["edges"][0]["node"]["id"] == "p11"
    assert len(middle["edges"]) == 50


async def test_filters_and_sorting_reach_the_service_in_its_own_words(ask, upstreams: FakeUpstreams) -> None:
    await ask(
        '{ products(first: 5, sort: PRICE_DESC, filter: {query: "lamp", category: "c7", minPrice: 100,'
        " maxPrice: 900, inStock: true}) { totalCount } }"
    )

    assert upstreams.calls[0].query == {
        "q": "lamp",
        "category": "c7",
        "min_price": "100",
        "max_price": "900",
        "in_stock": "true",
        "sort": "-price",
        "limit": "5",
    }


async def test_a_page_size_or_cursor_out_of_bounds_is_the_callers_fault(
    ask, upstreams: FakeUpstreams
) -> None:
    answer = await ask(
        '{ a: products(first: 51) { totalCount } b: products(after: "%%%") { totalCount }'
        ' c: products(after: "MTAwOg==") { totalCount } d: orders(first: 0) { totalCount } }'
    )

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_INPUT"] * 4
    assert upstreams.calls == []
