"""`python -m trivium_iot`: serve the IoT BFF until told to stop."""

from trivium_common.app.serving import run_app
from trivium_common.settings import load_settings
from trivium_iot.app import build_app
from trivium_iot.settings import IotSettings

if __name__ == "__main__":
    run_app(build_app, load_settings(IotSettings))
