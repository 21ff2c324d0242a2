"""How many of each product lie in which warehouse. products and inventory agree because both ask here."""

from dataclasses import dataclass

from trivium_demo.data.dice import Dice

WAREHOUSES = ("Leipzig", "Rotterdam", "Lyon", "Gdansk")


@dataclass(frozen=True, slots=True)
class Stock:
    """What lies in the warehouse that serves a product, and how long it takes from there to the door."""

    quantity: int
    warehouse: str
    shipping_days: int


def stock_of(product_number: int) -> Stock:
    """The stock of one product at the start; one in ten is sold out."""
    dice = Dice(f"stock p{product_number}")
    warehouse = dice.pick(WAREHOUSES)
    if dice.happens(0.1):
        return Stock(0, warehouse, dice.between(8, 20))
    return Stock(1 + dice.skewed(250), warehouse, dice.between(1, 5))
