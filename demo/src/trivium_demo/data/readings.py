"""A week of temperatures: one reading each quarter of an hour for all devices, 336,000 in all.

A reading is the device's level plus the day's course plus noise. It is told as lists and a formula, not row by row:
the database puts them together three times as fast as rows can be handed to it. All in integers, because
floating-point sines may differ in the last digit between machines.
"""

from trivium_demo.data.dates import BASE_S, MINUTE_S
from trivium_demo.data.devices import DEVICE_COUNT

METRIC = "temperature"
INTERVAL_S = 15 * MINUTE_S
SLOTS_PER_DAY = 96
SLOT_COUNT = 7 * SLOTS_PER_DAY

# SQL over a level's `device_n`, `level` and a slot's `slot`, `course`: degrees Celsius.
VALUE_SQL = "(level + course + ((device_n * 7919 + slot * 104729) * 31 >> 3) % 64) / 100.0"


def generate_levels() -> list[tuple[int, int]]:
    """Device number, and the lowest temperature where it stands in hundredths of a degree."""
    return [(device, 1600 + device * 37 % 400) for device in range(1, DEVICE_COUNT + 1)]


def generate_slots() -> list[tuple[int, int, int]]:
    """Slot, milliseconds since 1970, and how much warmer than the night's low it is: most at three in the afternoon."""
    return [
        (
            slot,
            (BASE_S - (SLOT_COUNT - slot) * INTERVAL_S) * 1000,
            max(0, 600 - abs(slot % SLOTS_PER_DAY - 60) * 14),
        )
        for slot in range(SLOT_COUNT)
    ]
