"""The 5,000 products: names, prices and texts that read like a shop's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from trivium_demo.data.categories import Category, generate_categories
from trivium_demo.data.dates import BASE_S, DAY_S, format_time
from trivium_demo.data.dice import Dice
from trivium_demo.data.stock import stock_of
from trivium_demo.data.words import BRANDS, COLOURS, STYLES

PRODUCT_COUNT = 5_000
CURRENCY = "EUR"

# root category → materials, and its lowest and highest price in minor units
_ROOTS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "Kitchen": (("cast iron", "stoneware", "beech", "stainless steel", "enamel", "copper"), 690, 18900),
    "Living": (("linen", "wool", "oak", "brass", "ceramic", "rattan", "glass"), 790, 24900),
    "Garden": (("terracotta", "galvanised steel", "teak", "ash", "recycled plastic"), 490, 22900),
    "Outdoors": (("ripstop nylon", "aluminium", "waxed canvas", "titanium"), 990, 39900),
    "Office": (("walnut", "leather", "recycled paper", "aluminium", "brass"), 390, 29900),
    "Audio": (("aluminium", "walnut", "recycled plastic", "felt"), 1490, 49900),
    "Play": (("maple", "organic cotton", "recycled card", "birch plywood"), 590, 8900),
}
_OPENINGS = (
    "Made in small batches by people who use it themselves.",
    "The one you reach for without thinking.",
    "Designed to be repaired, not replaced.",
    "A quiet companion for busy days.",
    "Plain at first sight, and better every year.",
    "Our most given present, three winters in a row.",
)
_USES = (
    "It feels solid in the hand and takes up less room than you would expect.",
    "Every edge is finished by hand, so nothing catches and nothing chips.",
    "Spare parts are kept in stock for ten years and fit without tools.",
    "It comes ready to use: unpack it, rinse or wipe it, and begin.",
    "The surface is left untreated and grows darker with use.",
    "Weight and balance were tried with thirty households before we settled on this one.",
    "It packs flat, travels well and does not mind rain.",
)
_CARE = (
    "Wipe it with a damp cloth and let it dry in the air.",
    "Treat it with a little oil twice a year.",
    "Wash it by hand in warm water; the dishwasher shortens its life.",
    "Brush it off when dry. It needs no other care.",
    "Keep it out of lasting sunlight to preserve the colour.",
)
_MAKERS = ("Portugal", "Denmark", "Germany", "Poland", "Italy", "Estonia", "France", "Slovenia")


@dataclass(frozen=True, slots=True)
class Product:
    """A product in the few fields that other services derive from."""

    number: int
    name: str
    category: Category
    price: int
    colour: str
    material: str
    brand: str
    created_s: int


@cache
def generate_products() -> tuple[Product, ...]:
    """All products in order; `generate_products()[0]` is p1."""
    dice = Dice("products")
    leaves = tuple(category for category in generate_categories() if category.things)
    return tuple(_generate_product(dice, number, dice.pick(leaves)) for number in range(1, PRODUCT_COUNT + 1))


def _generate_product(dice: Dice, number: int, category: Category) -> Product:
    materials, lowest, highest = _ROOTS[category.path[0]]
    brand, colour, material = dice.pick(BRANDS), dice.pick(COLOURS), dice.pick(materials)
    # Cheap things outnumber dear ones, and prices end as prices do.
    price = (lowest + dice.skewed(1 + dice.below(highest - lowest))) // 100 * 100 + dice.pick((0, 50, 90, 95))
    return Product(
        number=number,
        name=f"{brand} {dice.pick(STYLES)} {dice.pick(category.things)}, {colour}",
        category=category,
        price=max(price, lowest),
        colour=colour,
        material=material,
        brand=brand,
        created_s=BASE_S - dice.between(1, 1100) * DAY_S - dice.below(DAY_S),
    )


def money(amount: int) -> dict[str, object]:
    """An amount in minor units as the demo writes money."""
    return {"amount": amount, "currency": CURRENCY}


def product_documents(ratings: dict[int, tuple[float, int]]) -> Iterator[tuple[Product, dict[str, object]]]:
    """Every product with the document that the products service answers.

    `ratings`: product number → average and count.
    """
    dice = Dice("product texts")
    for product in generate_products():
        yield product, _product_document(product, dice, ratings.get(product.number))


def _product_document(product: Product, dice: Dice, rating: tuple[float, int] | None) -> dict[str, object]:
    thing = product.name.split(",")[0].split(" ", 2)[2].lower()
    description = (
        f"{dice.pick(_OPENINGS)} This {thing} is made of {product.material} in {dice.pick(_MAKERS)}. "
        f"{dice.pick(_USES)} {dice.pick(_USES)} {dice.pick(_CARE)}"
    )
    stock = stock_of(product.number)
    return {
        "id": f"p{product.number}",
        "sku": f"{product.brand[:3].upper()}-{product.category.number:03}-{product.number:05}",
        "name": product.name,
        "brand": product.brand,
        "description": description,
        "price": money(product.price),
        "category_id": f"c{product.category.number}",
        "category_path": list(product.category.path),
        "image_url": f"https://images.example.com/products/p{product.number}.webp",
        "gallery_urls": [
            f"https://images.example.com/products/p{product.number}-{i}.webp" for i in (1, 2, 3)
        ],
        "rating": rating[0] if rating else None,
        "rating_count": rating[1] if rating else 0,
        "in_stock": stock.quantity > 0,
        "attributes": {
            "colour": product.colour,
            "material": product.material,
            "weight_grams": dice.between(8, 400) * 10,
            "width_mm": dice.between(40, 900),
            "height_mm": dice.between(20, 600),
            "depth_mm": dice.between(20, 600),
            "warranty_months": dice.pick((24, 24, 36, 60, 120)),
            "recyclable": dice.happens(0.8),
        },
        "tax_class": "standard",
        "created_at": format_time(product.created_s),
        "updated_at": format_time(product.created_s + 30 * DAY_S),
    }


def recommended_numbers(user_number: int, count: int) -> list[int]:
    """Product numbers that suit this user, best first; the same answer each time."""
    dice = Dice(f"recommendations u{user_number}")
    found: dict[int, None] = {}
    while len(found) < count:
        found.setdefault(1 + dice.below(PRODUCT_COUNT))
    return list(found)
