"""The 2,000 users: u1 is ada, u2 grace, u3 linus. Orders, reviews and identity derive from the same list."""

from dataclasses import dataclass
from functools import cache

from trivium_demo.data.dates import BASE_S, DAY_S, format_time
from trivium_demo.data.dice import Dice
from trivium_demo.data.words import FIRST_NAMES, LAST_NAMES

USER_COUNT = 2_000

_WELL_KNOWN = (("ada", "Ada Lovelace"), ("grace", "Grace Hopper"), ("linus", "Linus Pauling"))
# country, locale, dialling code, and (city, first digits of its postal codes)
_COUNTRIES = (
    ("DE", "de-DE", "+49", (("Leipzig", "041"), ("Hamburg", "203"), ("Freiburg", "791"), ("Bonn", "531"))),
    ("FR", "fr-FR", "+33", (("Lyon", "690"), ("Nantes", "440"), ("Rennes", "350"), ("Lille", "590"))),
    ("NL", "nl-NL", "+31", (("Utrecht", "351"), ("Delft", "261"), ("Groningen", "971"))),
    ("IT", "it-IT", "+39", (("Torino", "101"), ("Bologna", "401"), ("Trieste", "341"))),
    ("ES", "es-ES", "+34", (("Valencia", "460"), ("Bilbao", "480"), ("Granada", "180"))),
    ("PL", "pl-PL", "+48", (("Gdansk", "800"), ("Krakow", "300"), ("Poznan", "600"))),
    ("SE", "sv-SE", "+46", (("Malmo", "211"), ("Uppsala", "752"), ("Lund", "222"))),
    ("PT", "pt-PT", "+351", (("Porto", "400"), ("Coimbra", "300"))),
    ("IE", "en-IE", "+353", (("Galway", "910"), ("Cork", "210"))),
)
_STREETS = (
    "Mill Lane",
    "Station Road",
    "Harbour Street",
    "Linden Avenue",
    "Market Square",
    "Orchard Way",
    "Canal Street",
    "School Lane",
    "River Walk",
    "Chestnut Grove",
    "Observatory Hill",
    "Old Bridge Road",
)
_TIERS = ("bronze", "bronze", "bronze", "silver", "silver", "gold", "platinum")
_INTERESTS = (
    "cooking",
    "gardening",
    "cycling",
    "music",
    "reading",
    "running",
    "photography",
    "camping",
    "crafts",
)
_CHANNELS = ("email", "push", "sms")
_DOMAINS = ("example.com", "example.org", "example.net")
_NOTIFICATIONS = (
    (
        "order",
        "Your parcel is on its way",
        "It left our warehouse this morning and should be with you in two days.",
    ),
    ("order", "Delivered", "Your parcel was handed over. Enjoy! You can return it within 30 days."),
    ("offer", "Ten percent on everything for the kitchen", "Only this weekend, with no code to remember."),
    ("offer", "Back in stock", "Something on your wish list is available again, in small numbers."),
    ("review", "How do you like it?", "Tell others in two sentences what you think of your last purchase."),
    (
        "account",
        "New sign-in",
        "Your account was used on a new device. If that was not you, change your password.",
    ),
    (
        "account",
        "You reached the next tier",
        "Free shipping on all orders from now on. Thank you for staying with us.",
    ),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user in the few fields that other services derive from."""

    number: int
    username: str
    name: str
    email: str
    country: str
    locale: str
    dialling_code: str
    city: str
    postal_code: str
    street: str
    created_s: int


@cache
def generate_people() -> tuple[Person, ...]:
    """All users in order; `generate_people()[0]` is u1."""
    dice = Dice("people")
    return tuple(_generate_person(dice, number) for number in range(1, USER_COUNT + 1))


def _generate_person(dice: Dice, number: int) -> Person:
    if number <= len(_WELL_KNOWN):
        username, name = _WELL_KNOWN[number - 1]
        domain = _DOMAINS[0]
    else:
        first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
        username, name, domain = f"{first}.{last}.{number}".lower(), f"{first} {last}", dice.pick(_DOMAINS)
    country, locale, dialling_code, cities = dice.pick(_COUNTRIES)
    city, postal_prefix = dice.pick(cities)
    return Person(
        number=number,
        username=username,
        name=name,
        email=f"{username}@{domain}",
        country=country,
        locale=locale,
        dialling_code=dialling_code,
        city=city,
        postal_code=f"{postal_prefix}{dice.below(90) + 10}",
        street=f"{dice.pick(_STREETS)} {dice.between(1, 140)}",
        created_s=BASE_S - dice.between(30, 1500) * DAY_S - dice.below(DAY_S),
    )


def address_of(person: Person) -> dict[str, object]:
    """Where the person lives and orders are sent."""
    return {
        "name": person.name,
        "street": person.street,
        "city": person.city,
        "postal_code": person.postal_code,
        "country": person.country,
    }


def user_document(person: Person, dice: Dice) -> dict[str, object]:
    """The user as the users service answers: rich, so that trimming it means something."""
    is_subscribed = dice.happens(0.6)
    return {
        "id": f"u{person.number}",
        "username": person.username,
        "name": person.name,
        "email": person.email,
        "avatar_url": f"https://images.example.com/avatars/u{person.number}.webp",
        "locale": person.locale,
        "country": person.country,
        "created_at": format_time(person.created_s),
        "updated_at": format_time(person.created_s + DAY_S),
        "loyalty_tier": "gold" if person.number <= len(_WELL_KNOWN) else dice.pick(_TIERS),
        "phone": f"{person.dialling_code} 555 {dice.between(1000, 9999)}",
        "address": address_of(person),
        "preferences": {
            "language": person.locale[:2],
            "currency": "EUR",
            "theme": dice.pick(("light", "dark", "system")),
            "measurement_system": "metric",
            "notification_channel": dice.pick(_CHANNELS),
            "interests": sorted({dice.pick(_INTERESTS) for _ in range(3)}),
        },
        "marketing": {
            "newsletter": is_subscribed,
            "partner_offers": is_subscribed and dice.happens(0.2),
            "segment": dice.pick(("new", "regular", "regular", "champion", "dormant")),
            "acquisition_channel": dice.pick(("search", "friend", "shop", "podcast", "newsletter")),
        },
    }


def notifications_of(person: Person, dice: Dice) -> list[dict[str, object]]:
    """What the user was told lately, oldest first; `id` is given by the store."""
    count = 5 if person.number <= len(_WELL_KNOWN) else dice.below(5)
    age_s = 30 * DAY_S
    found = []
    for _ in range(count):
        age_s = max(600, age_s - dice.between(1, 6 * DAY_S))
        kind, title, body = dice.pick(_NOTIFICATIONS)
        found.append(
            {
                "user_id": f"u{person.number}",
                "kind": kind,
                "title": title,
                "body": body,
                "created_at": format_time(BASE_S - age_s),
                "is_read": dice.happens(0.5),
            }
        )
    return found
