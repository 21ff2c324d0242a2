"""The 500 devices and their twins: d1 is ada's thermostat, d2 her sensor."""

from collections.abc import Iterator
from dataclasses import dataclass

from trivium_demo.data.dates import BASE_S, HOUR_S, format_time
from trivium_demo.data.dice import Dice
from trivium_demo.data.people import USER_COUNT

DEVICE_COUNT = 500

_MODELS = (
    ("thermostat", "Trivium Climate 2"),
    ("sensor", "Trivium Sense Mini"),
    ("plug", "Trivium Plug"),
    ("lamp", "Trivium Glow"),
    ("lock", "Trivium Latch"),
)
_ROOMS = ("Living Room", "Kitchen", "Bedroom", "Hall", "Study", "Workshop", "Greenhouse", "Cellar")
_FIRMWARE = ("2.4.1", "2.4.1", "2.4.1", "2.4.0", "2.3.7", "3.0.0-beta.2")


@dataclass(frozen=True, slots=True)
class Device:
    """A device: what is indexed, the document that is answered, and what was asked of it."""

    number: int
    owner_number: int
    kind: str
    document: dict[str, object]
    desired: dict[str, object]
    reported: dict[str, object]


def generate_devices() -> Iterator[Device]:
    """All devices in order."""
    dice = Dice("devices")
    for number in range(1, DEVICE_COUNT + 1):
        # The first twelve belong to the three users whom the documentation names, four each.
        owner_number = 1 + (number - 1) // 4 if number <= 12 else dice.between(4, USER_COUNT)
        kind, model = _MODELS[(number - 1) % len(_MODELS)]
        yield _generate_device(dice, number, owner_number, kind, model)


def _generate_device(dice: Dice, number: int, owner_number: int, kind: str, model: str) -> Device:
    is_online = number <= 2 or dice.happens(0.93)
    room = dice.pick(_ROOMS)
    reported = _reported_state(dice, kind)
    seen_s = BASE_S - dice.below(900) if is_online else BASE_S - dice.between(2, 200) * HOUR_S
    document: dict[str, object] = {
        "id": f"d{number}",
        "owner_id": f"u{owner_number}",
        "kind": kind,
        "model": model,
        "serial_number": f"TRV-{kind[:2].upper()}-{100_000 + number * 37}",
        "firmware": dice.pick(_FIRMWARE),
        "name": f"{room} {kind}",
        "online": is_online,
        "last_seen_at": format_time(seen_s),
        "state": reported,
        "location": {
            "room": room,
            "latitude": 45 + dice.below(1_200_000) / 100_000,
            "longitude": dice.below(2_000_000) / 100_000,
        },
        "network": {"transport": dice.pick(("wifi", "thread", "lora")), "rssi_dbm": -dice.between(38, 88)},
    }
    return Device(number, owner_number, kind, document, _desired_state(dice, kind), reported)


def _reported_state(dice: Dice, kind: str) -> dict[str, object]:
    battery_percent = dice.between(35, 100)
    if kind == "thermostat":
        return {"target_celsius": 20.5, "measured_celsius": 20.0 + dice.below(30) / 10, "mode": "heat"}
    if kind == "sensor":
        return {"measured_celsius": 18.0 + dice.below(60) / 10, "battery_percent": battery_percent}
    if kind == "plug":
        return {"on": dice.happens(0.6), "power_watts": dice.below(900) / 10}
    if kind == "lamp":
        return {"on": dice.happens(0.4), "brightness_percent": dice.between(10, 100)}
    return {"locked": dice.happens(0.9), "battery_percent": battery_percent}


def _desired_state(dice: Dice, kind: str) -> dict[str, object]:
    if kind == "thermostat":
        return {"target_celsius": dice.pick((19.5, 20.5, 21.0)), "mode": "heat"}
    if kind == "sensor":
        return {"report_interval_s": 900}
    if kind == "lock":
        return {"locked": True}
    return {"on": dice.happens(0.5)}
