"""The 30,000 orders with their lines, oldest first, and the baskets that lie waiting."""

from collections.abc import Iterator
from dataclasses import dataclass

from trivium_demo.data.catalogue import PRODUCT_COUNT, Product, generate_products, money
from trivium_demo.data.dates import BASE_S, DAY_S, HOUR_S, MINUTE_S, format_time
from trivium_demo.data.dice import Dice
from trivium_demo.data.people import USER_COUNT, Person, address_of, generate_people

ORDER_COUNT = 30_000
STATUSES = ("pending", "paid", "shipped", "delivered", "returned", "cancelled")
SHIPPING_COSTS = {"standard": 490, "express": 990, "pickup": 0}

_GAP_S = 26 * MINUTE_S
_FIRST_BUYERS = 3
_CARRIERS = ("Postal", "Swift", "Courier")


@dataclass(frozen=True, slots=True)
class Order:
    """An order: what is indexed, and the document that is answered."""

    number: int
    user_number: int
    status: str
    created_at: str
    total: int
    document: dict[str, object]


def generate_orders() -> Iterator[Order]:
    """Orders in the order in which they were placed: the last one is the newest."""
    dice = Dice("orders")
    people, products = generate_people(), generate_products()
    for number in range(1, ORDER_COUNT + 1):
        # Every hundredth order is by one of the three whom the documentation names: they have full histories.
        if number % 100 < _FIRST_BUYERS:
            user_number = 1 + number % 100
        else:
            user_number = USER_COUNT - dice.skewed(USER_COUNT)
        created_s = BASE_S - (ORDER_COUNT - number) * _GAP_S - dice.below(_GAP_S)
        yield _generate_order(dice, number, people[user_number - 1], products, created_s)


def _generate_order(
    dice: Dice, number: int, buyer: Person, products: tuple[Product, ...], created_s: int
) -> Order:
    chosen = {dice.skewed(PRODUCT_COUNT): dice.pick((1, 1, 1, 2, 2, 3)) for _ in range(dice.between(1, 5))}
    lines = [
        order_line(products[index].number, quantity, products[index].price)
        for index, quantity in chosen.items()
    ]
    method = dice.pick(("standard", "standard", "standard", "express", "pickup"))
    status = _status_at_age(dice, BASE_S - created_s)
    created_at = format_time(created_s)
    total = SHIPPING_COSTS[method] + sum(
        quantity * products[index].price for index, quantity in chosen.items()
    )
    document: dict[str, object] = {
        "id": f"o{number}",
        "user_id": f"u{buyer.number}",
        "status": status,
        "created_at": created_at,
        "updated_at": format_time(min(created_s + 2 * DAY_S, BASE_S)),
        "total": money(total),
        "lines": lines,
        "shipping": {
            "method": method,
            "cost": money(SHIPPING_COSTS[method]),
            "address": address_of(buyer),
            "carrier": dice.pick(_CARRIERS) if status in ("shipped", "delivered", "returned") else None,
            "estimated_delivery_at": format_time(created_s + 3 * DAY_S),
        },
        "payment": {
            "method": dice.pick(("card", "card", "transfer", "wallet")),
            "reference": f"PAY-{number:08}",
        },
    }
    return Order(number, buyer.number, status, created_at, total, document)


def _status_at_age(dice: Dice, age_s: int) -> str:
    if dice.happens(0.04):
        return "cancelled"
    if age_s < 6 * HOUR_S:
        return "pending"
    if age_s < DAY_S:
        return "paid"
    if age_s < 4 * DAY_S:
        return "shipped"
    return "returned" if dice.happens(0.05) else "delivered"


def order_line(product_number: int, quantity: int, unit_price: int) -> dict[str, object]:
    """One line of an order or basket."""
    return {"product_id": f"p{product_number}", "quantity": quantity, "unit_price": money(unit_price)}


def generate_baskets() -> Iterator[tuple[int, dict[int, int]]]:
    """User number, and product number → quantity, for each user with something in the basket."""
    dice = Dice("baskets")
    for user_number in range(1, USER_COUNT + 1):
        if user_number <= _FIRST_BUYERS or dice.happens(0.15):
            yield (
                user_number,
                {1 + dice.skewed(PRODUCT_COUNT): dice.between(1, 2) for _ in range(dice.between(1, 3))},
            )
