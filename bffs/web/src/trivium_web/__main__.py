"""`python -m trivium_web`: serve the web BFF until told to stop."""

from trivium_common.app.serving import run_app
from trivium_common.settings import load_settings
from trivium_web.app import build_app
from trivium_web.settings import WebSettings

if __name__ == "__main__":
    run_app(build_app, load_settings(WebSettings))
