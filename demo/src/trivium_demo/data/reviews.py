"""The 8,000 reviews. products takes its ratings from the same list, so that the two services agree."""

from collections.abc import Iterator
from dataclasses import dataclass

from trivium_demo.data.catalogue import PRODUCT_COUNT
from trivium_demo.data.dates import BASE_S, DAY_S, format_time
from trivium_demo.data.dice import Dice
from trivium_demo.data.people import USER_COUNT

REVIEW_COUNT = 8_000

_STARS = (1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5)
_TITLES = {
    1: ("Not for me", "Sent it back", "Broke within a week"),
    2: ("I expected more", "Looks better than it is", "Only just acceptable"),
    3: ("Does its job", "Fine for the price", "Good, with one flaw"),
    4: ("Happy with it", "Very decent", "Nearly perfect"),
    5: ("Would buy it again", "A small joy every day", "Exactly what I wanted"),
}
_TEXTS = {
    1: (
        "The first one arrived with a crack, the second did not fit.",
        "The colour has little to do with the picture.",
    ),
    2: ("It works, but the finish is rough in places.", "Smaller than I thought, and heavier too."),
    3: (
        "I use it now and then. Nothing wrong, nothing special.",
        "Good material, but the lid wobbles a little.",
    ),
    4: (
        "Solid and pretty. The box could be smaller.",
        "We have used it for a month and have nothing to complain of.",
    ),
    5: (
        "My neighbour borrowed it and ordered one the same evening.",
        "Well made, well packed and here in two days.",
    ),
}


@dataclass(frozen=True, slots=True)
class ReviewSeed:
    """One review as it is first stored."""

    number: int
    product_number: int
    user_number: int
    rating: int
    title: str
    text: str
    created_at: str


def generate_reviews() -> Iterator[ReviewSeed]:
    """Reviews from the oldest to the newest; ada wrote one on each of p1 to p80."""
    dice = Dice("reviews")
    gap_s = 700 * DAY_S // REVIEW_COUNT
    for number in range(1, REVIEW_COUNT + 1):
        rating = dice.pick(_STARS)
        is_by_ada = number % 100 == 0
        yield ReviewSeed(
            number=number,
            product_number=number // 100 if is_by_ada else 1 + dice.skewed(PRODUCT_COUNT),
            user_number=1 if is_by_ada else 1 + dice.below(USER_COUNT),
            rating=rating,
            title=dice.pick(_TITLES[rating]),
            text=dice.pick(_TEXTS[rating]),
            created_at=format_time(BASE_S - (REVIEW_COUNT - number) * gap_s - dice.below(gap_s)),
        )


def average_of(total: int, count: int) -> float:
    """Stars on average, with two decimals. One function, since Python and SQLite round halves differently."""
    return round(total / count, 2)


def rate_products() -> dict[int, tuple[float, int]]:
    """Product number → average rating (two decimals) and number of ratings, at the start."""
    sums: dict[int, tuple[int, int]] = {}
    for review in generate_reviews():
        total, count = sums.get(review.product_number, (0, 0))
        sums[review.product_number] = (total + review.rating, count + 1)
    return {number: (average_of(total, count), count) for number, (total, count) in sums.items()}
