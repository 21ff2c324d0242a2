"""The reference composer, installed from npm into a cache folder of its own; nothing of it is part of this repository."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trivium_federation.compose import SubgraphSchema

_PACKAGES = {"@apollo/composition": "2.14.4", "graphql": "^16.9.0"}
_SCRIPT = Path(__file__).with_name("reference.mjs")
_INSTALL_TIMEOUT_S = 300.0
_RUN_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference composer says of a set: errors as (code, message), or a supergraph."""

    errors: tuple[tuple[str, str], ...]
    sdl: str | None


def install_reference() -> Path:
    """The folder with the composer, installed if it is not there yet. COMPOSER_CACHE moves it."""
    folder = Path(os.environ.get("COMPOSER_CACHE", Path.home() / ".cache/trivium/reference-composer"))
    if not (folder / "node_modules/@apollo/composition").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        package = {"name": "reference-composer", "private": True, "dependencies": _PACKAGES}
        (folder / "package.json").write_text(json.dumps(package))
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=_INSTALL_TIMEOUT_S)
    return folder


def compose_by_reference(folder: Path, sets: Sequence[Sequence[SubgraphSchema]]) -> list[Reference]:
    """Ask it of many sets at once."""
    lines = [json.dumps([{"name": s.name, "url": s.url, "sdl": s.sdl} for s in one]) for one in sets]
    command = ["node", str(_SCRIPT), str(folder)]
    done = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=_RUN_TIMEOUT_S
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [Reference(tuple((c, m) for c, m in answer["errors"]), answer["sdl"]) for answer in answers]
