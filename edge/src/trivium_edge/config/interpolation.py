"""`${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` inside of texts; `$${` writes a plain `${`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trivium_edge.config.positions import Interpolated

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_EXPECTED = "expected ${env:NAME}, ${env:NAME:-default} or ${file:PATH}"
_MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its references filled in. `problems` are (offset in the text, message)."""

    text: str
    references: tuple[str, ...]
    problems: tuple[tuple[int, str], ...]


class Interpolator:
    """Fills references from an environment and from files beside the configuration.

    `files` are the files it has read: a change in one of them is a change of the configuration.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self.files: set[Path] = set()

    def fill(self, text: str) -> Filled:
        """`text` with every reference replaced; what cannot be replaced is a problem and becomes empty."""
        references: list[str] = []
        problems: list[tuple[int, str]] = []

        def replace(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            try:
                if not match[0].endswith("}"):
                    raise ValueError(f"found `${{` without a closing `}}`, {_EXPECTED}")
                name, value = self._look_up(match[1])
            except ValueError as error:
                problems.append((match.start(), str(error)))
                return ""
            references.append(f"${{{name}}}")
            return value

        filled = _REFERENCE.sub(replace, text)
        return Filled(Interpolated(filled) if references else filled, tuple(references), tuple(problems))

    def _look_up(self, inner: str) -> tuple[str, str]:
        if (env := _ENV.fullmatch(inner)) is not None:
            return f"env:{env[1]}", self._read_variable(env[1], env[2])
        if inner.startswith("file:") and len(inner) > len("file:"):
            return inner, self._read_file(inner.removeprefix("file:"))
        raise ValueError(f"found `${{{inner}}}`, {_EXPECTED}")

    def _read_variable(self, name: str, default: str | None) -> str:
        value = self._environment.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise ValueError(f"the environment variable {name} is not set, and no default is given (:-)")
        return value

    def _read_file(self, name: str) -> str:
        path = self._folder / name
        self.files.add(path)
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_FILE_BYTES + 1)
            if len(content) > _MAX_FILE_BYTES:
                raise ValueError(f"the file {name} is larger than {_MAX_FILE_BYTES} bytes")
            return content.decode().rstrip("\r\n")
        except OSError as error:
            raise ValueError(f"the file {name} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"the file {name} is not UTF-8 text") from error
