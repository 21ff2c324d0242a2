"""A week of temperatures: one reading each quarter of an hour for all devices, 336,000 in all."""

from collections.abc import Iterator

from trivium_demo.data.dates import BASE_S, MINUTE_S
from trivium_demo.data.devices import DEVICE_COUNT

METRIC = "temperature"
INTERVAL_S = 15 * MINUTE_S
SLOTS_PER_DAY = 96
SLOT_COUNT = 7 * SLOTS_PER_DAY


def generate_readings() -> Iterator[tuple[int, str, int, float]]:
    """Device number, metric, milliseconds since 1970, degrees Celsius; by device, oldest first.

    Integers and a triangle for the day's course: floating-point sines may differ in the last digit between machines.
    """
    # Hundredths of a degree above the night's low, warmest at three in the afternoon.
    course = [max(0, 600 - abs(slot - 60) * 14) for slot in range(SLOTS_PER_DAY)]
    times_ms = [(BASE_S - (SLOT_COUNT - slot) * INTERVAL_S) * 1000 for slot in range(SLOT_COUNT)]
    for device in range(1, DEVICE_COUNT + 1):
        low = 1600 + device * 37 % 400
        noise = device * 2_654_435_761 % 4_294_967_296
        for slot, at_ms in enumerate(times_ms):
            noise = (noise * 1_664_525 + 1_013_904_223) % 4_294_967_296
            yield device, METRIC, at_ms, (low + course[slot % SLOTS_PER_DAY] + (noise >> 26)) / 100
