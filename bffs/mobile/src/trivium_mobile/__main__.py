"""`python -m trivium_mobile`: serve the mobile BFF until told to stop."""

from trivium_common.app.serving import run_app
from trivium_common.settings import load_settings
from trivium_mobile.app import build_app
from trivium_mobile.settings import MobileSettings

if __name__ == "__main__":
    run_app(build_app, load_settings(MobileSettings))
