"""The two scripts of the checkout that run without an environment: `make install` and `make isolate`."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

CLI = Path(__file__).parents[1]
LIMIT_S = 60


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"script_{name}", CLI / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["bootstrap", "isolate"])
def test_script_needs_the_standard_library_only(name: str) -> None:
    """They run before anything is installed."""
    code = f"import runpy; runpy.run_path({str(CLI / f'{name}.py')!r}, run_name='imported')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=LIMIT_S)


def test_environment_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    """`make up` costs a moment when nothing has changed."""
    bootstrap = load_script("bootstrap")
    bootstrap.write_marker(tmp_path / ".trivium-installed", bootstrap.fingerprint())
    done = subprocess.run(
        [sys.executable, CLI / "bootstrap.py", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == [".trivium-installed"]


def test_isolation_covers_every_deployable_with_an_image() -> None:
    """A fourth BFF is not forgotten."""
    root = CLI.parent
    images = [*root.glob("*/Dockerfile"), *root.glob("bffs/*/Dockerfile")]
    folders = {str(image.parent.relative_to(root)) for image in images}
    checked = {deployable.folder for deployable in load_script("isolate").DEPLOYABLES}
    assert folders <= checked


def test_isolation_ends_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    """The failure is shown, and the last line can be read by a program."""
    isolate = load_script("isolate")
    isolate.show([isolate.Result("web", packages=40), isolate.Result("iot", failure="no module named x")])
    lines = capsys.readouterr().out.splitlines()
    assert "no module named x" in lines
    assert lines[-1] == "1 passed, 1 failed"


def test_isolation_shows_what_a_dying_process_said(tmp_path: Path) -> None:
    """Not only that it failed, but why."""
    isolate = load_script("isolate")
    deployable = isolate.Deployable("web", "bffs/web", ("-c", "raise SystemExit('no such thing')"))
    with pytest.raises(isolate.Failed, match=r"exit code 1 before it answered /livez\n(.*\n)*no such thing"):
        isolate.ask_livez(Path(sys.executable), tmp_path, deployable)
