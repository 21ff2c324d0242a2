"""reviews and inventory as a federation gateway uses them."""

from typing import Any

import pytest

ENTITIES = (
    "query($representations: [_Any!]!) { _entities(representations: $representations) { __typename %s } }"
)


@pytest.mark.parametrize("name", ["reviews", "inventory"])
def test_sdl_declares_federation_2_and_keys(stack: dict[str, Any], name: str) -> None:
    sdl = stack[name].ask("{ _service { sdl } }")["data"]["_service"]["sdl"]
    assert "https://specs.apollo.dev/federation/v2" in sdl
    assert 'type Product @key(fields: "id")' in sdl


def test_entities_come_in_the_order_asked(reviews: Any) -> None:
    representations = [
        {"__typename": "Product", "id": "p3"},
        {"__typename": "User", "id": "u1"},
        {"__typename": "Review", "id": "r100"},
        {"__typename": "Product", "id": "p3"},
    ]
    selection = (
        "... on Product { id reviews(first: 2) { id product { id } } } ... on User { id reviews { id } }"
    )
    answer = reviews.ask(
        ENTITIES % (selection + " ... on Review { rating author { id } }"), representations=representations
    )
    product, user, review, again = answer["data"]["_entities"]
    assert "errors" not in answer
    assert product == again
    assert [each["product"]["id"] for each in product["reviews"]] == ["p3", "p3"]
    assert len(user["reviews"]) == 5
    assert (review["__typename"], review["author"]) == ("Review", {"id": "u1"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"__typename": "Nope", "id": "p1"},
        {"__typename": "Product"},
        {"__typename": "Product", "id": {"$ne": 1}},
        {"__typename": "Product", "id": None},
        {"id": "p1"},
        {"__typename": ["Product"], "id": "p1"},
        {},
        "Product",
        7,
    ],
)
@pytest.mark.parametrize("name", ["reviews", "inventory"])
def test_wrong_representation_spoils_its_own_place_only(stack: dict[str, Any], name: str, wrong: Any) -> None:
    right = {"__typename": "Product", "id": "p1", "a member of another subgraph": True}
    answer = stack[name].ask(ENTITIES % "... on Product { id }", representations=[right, wrong, right])
    found = {"__typename": "Product", "id": "p1"}
    assert answer["data"]["_entities"] == [found, None, found]
    (error,) = answer["errors"]
    assert error["path"] == ["_entities", 1]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "Error" not in error["message"]
    assert "self" not in error["message"]


def test_unknown_entity_is_null_without_an_error(reviews: Any, inventory: Any) -> None:
    answer = reviews.ask(
        ENTITIES % "... on Review { id }", representations=[{"__typename": "Review", "id": "r999999"}]
    )
    assert answer == {"data": {"_entities": [None]}}
    answer = inventory.ask(ENTITIES % "", representations=[{"__typename": "Product", "id": "p999999"}])
    assert answer == {"data": {"_entities": [None]}}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"query": 7}', b'{"a":' * 50_000, b"{}", b'{"query": "{", "x": 1}']
)
def test_unreadable_request_is_the_callers_fault(inventory: Any, body: bytes) -> None:
    response = inventory.client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400)
    assert response.status_code == 400 or response.json()["errors"]


def test_deep_query_is_refused(inventory: Any) -> None:
    answer = inventory.ask("{a" * 20_000 + "}" * 20_000)
    assert answer["data"] is None
    assert answer["errors"]


def test_too_many_representations_are_refused(inventory: Any) -> None:
    answer = inventory.ask(ENTITIES % "", representations=[{"__typename": "Product", "id": "p1"}] * 1001)
    assert answer["data"] is None
    assert "1000" in answer["errors"][0]["message"]


def test_ratings_and_stock_agree_with_products(products: Any, reviews: Any, inventory: Any) -> None:
    """Four services, one world."""
    items = products.get("/products", ids=",".join(f"p{n}" for n in range(100, 200)))["items"]
    representations = [{"__typename": "Product", "id": product["id"]} for product in items]
    rated = reviews.ask(
        ENTITIES % "... on Product { averageRating reviewCount }", representations=representations
    )
    stocked = inventory.ask(
        ENTITIES % "... on Product { inStock stock { quantity } }", representations=representations
    )
    for product, rating, stock in zip(
        items, rated["data"]["_entities"], stocked["data"]["_entities"], strict=True
    ):
        assert product["rating"] == rating["averageRating"]
        assert product["rating_count"] == rating["reviewCount"]
        assert product["in_stock"] == stock["inStock"] == (stock["stock"]["quantity"] > 0)


def test_added_review_is_the_newest(reviews: Any) -> None:
    add = "mutation($input: AddReviewInput!) { addReview(input: $input) { id author { id } } }"
    review = {"productId": "p4000", "userId": "u40", "rating": 4, "title": "Good", "body": "Very."}
    added = reviews.ask(add, input=review)["data"]["addReview"]
    newest = reviews.ask("{ latestReviews(first: 1) { id title } }")["data"]["latestReviews"]
    assert newest == [{"id": added["id"], "title": "Good"}]
    representations = [{"__typename": "Product", "id": "p4000"}]
    product = reviews.ask(ENTITIES % "... on Product { reviews { id } }", representations=representations)
    assert product["data"]["_entities"][0]["reviews"][0] == {"id": added["id"]}


@pytest.mark.parametrize(
    "wrong", [{"rating": 0}, {"rating": 6}, {"title": ""}, {"productId": "x"}, {"userId": "p1"}]
)
def test_wrong_review_is_refused(reviews: Any, wrong: dict[str, Any]) -> None:
    review = {"productId": "p1", "userId": "u1", "rating": 4, "title": "Good", "body": "Very.", **wrong}
    answer = reviews.ask(
        "mutation($input: AddReviewInput!) { addReview(input: $input) { id } }", input=review
    )
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


def test_set_stock_persists(inventory: Any) -> None:
    set_stock = 'mutation { setStock(productId: "p4001", quantity: 0) { inStock } }'
    assert inventory.ask(set_stock)["data"] == {"setStock": {"inStock": False}}
    representations = [{"__typename": "Product", "id": "p4001"}]
    answer = inventory.ask(
        ENTITIES % "... on Product { stock { quantity } }", representations=representations
    )
    assert answer["data"]["_entities"][0]["stock"] == {"quantity": 0}
