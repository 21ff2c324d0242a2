"""Install the workspace into a virtual environment: what `make up` and `make test` do first.

Standard library only, and old syntax only, so that an old Python gets a sentence instead of a traceback.
"""
# ruff: noqa: I001, RUF005, S603, UP031, UP036 - newer forms would be a SyntaxError where the sentence is needed

import hashlib
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECTS = ["common", "federation", "edge", "bffs/web", "bffs/mobile", "bffs/iot", "cli", "demo"]
# Extras of the workspace's own packages are in the lock already; `--no-deps` below leaves them out.
LOCK = "requirements.lock"


def fail(message):
    sys.stderr.write("trivium: " + message + "\n")
    raise SystemExit(1)


def say(message):
    sys.stderr.write("trivium: " + message + "\n")
    sys.stderr.flush()


def fingerprint():
    """A digest of everything that decides what is installed: a change means installing again."""
    digest = hashlib.sha256()
    for name in [LOCK] + [project + "/pyproject.toml" for project in PROJECTS]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def run(step, command, count_packages=0):
    """Run one step. A terminal sees how far it is; its whole output is shown only when it fails."""
    started = time.time()
    say(step + " ...")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, collected = [], 0
    for line in process.stdout:
        output.append(line.decode(errors="replace"))
        collected += output[-1].startswith("Collecting ")
        if count_packages and sys.stderr.isatty():
            doing = " ".join(output[-1].split()[:2])[:40]
            sys.stderr.write("\r\033[K  %d of %d packages: %s" % (collected, count_packages, doing))
            sys.stderr.flush()
    if count_packages and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if process.wait() != 0:
        sys.stderr.write("".join(output)[-4000:])
        fail(step + " failed (the output is above). Mend that and run the same command again.")
    say("%s: done in %.0f s" % (step, time.time() - started))


def read_marker(path):
    """The Python that made an environment, and the fingerprint of what is in it; empty when unknown."""
    try:
        with open(path) as file:
            made_with, _, installed = file.read().rpartition("\n")
    except OSError:
        return "", ""
    return made_with, installed


def write_marker(path, installed):
    with open(path, "w") as file:
        file.write(sys.version + "\n" + installed)


def count_lock():
    """About how many packages the lock installs."""
    with open(os.path.join(ROOT, LOCK)) as file:
        return sum("==" in line for line in file)


def main():
    if sys.version_info < (3, 11):
        fail(
            "Python 3.11 or newer is needed, this is %d.%d. Point to a newer one: make up PYTHON=python3.12"
            % sys.version_info[:2]
        )
    try:
        import venv  # noqa: F401
        import ensurepip  # noqa: F401
    except ImportError:
        fail("this Python lacks the venv module. On Debian and Ubuntu: apt install python3-venv")
    target = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else ".venv")
    marker = os.path.join(target, ".trivium-installed")
    made_with, installed = read_marker(marker)
    wanted = fingerprint()
    if (made_with, installed) == (sys.version, wanted):
        return
    python = os.path.join(target, "bin", "python")
    if made_with != sys.version:
        run("creating " + os.path.relpath(target, ROOT), [sys.executable, "-m", "venv", "--clear", target])
    # What changes is brought up to date in place: a stack or an editor may be using this environment. Without
    # the fingerprint an interrupted run begins again here.
    write_marker(marker, "")
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]
    run("installing the locked packages (about a minute)", pip + ["-r", LOCK], count_lock())
    editable = [part for project in PROJECTS for part in ("-e", "./" + project)]
    run("installing Trivium itself", pip + ["--no-build-isolation", "--no-deps"] + editable)
    write_marker(marker, wanted)


if __name__ == "__main__":
    main()
