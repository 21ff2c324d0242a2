"""Run as a process of its own by test_serving.py: a BFF without screens."""

from trivium_common.app.factory import create_app
from trivium_common.app.serving import run_app
from trivium_common.app.settings import BffSettings
from trivium_common.settings import load_settings


class SampleSettings(BffSettings):
    service = "sample"
    port: int = 0


run_app(lambda settings: create_app("sample", settings, []), load_settings(SampleSettings))
