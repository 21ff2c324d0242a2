"""Failures as files: everything needed to see one, and to run it again."""

import json
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

from federation_fuzz.compare import Bench, Difference

_MAX_ANSWER_CHARACTERS = 3000


def describe(bench: Bench, difference: Difference) -> str:
    """One failure as Markdown: what was asked, wanted and given, and what the subgraphs were asked."""
    operation = difference.operation
    calls = "\n".join(
        f"- {call.graph}: {call.query}\n  variables {_short(call.variables)}\n  answer {_short(call.answer)}"
        for call in difference.calls
    )
    return f"""# {difference.kind}: {bench.name}, {bench.setting}

{difference.detail}

```graphql
{operation.query}
```

operation name: {operation.operation_name}
variables: {json.dumps(operation.variables)}

wanted: {_short(difference.expected)}

got: {_short(difference.got)}

subgraph requests:
{calls}
"""


def write_failure(folder: Path, bench: Bench, difference: Difference) -> Path:
    """Write one failure: `.md` to read, `.json` to run again, and its supergraph beside them.

    The name depends on what failed, so the same failure found again replaces its files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = f"{bench.name}{bench.setting}{difference.kind}{difference.operation.query}"
    mark = blake2b(content.encode(), digest_size=4).hexdigest()
    kind = difference.kind.replace(" ", "-").replace(":", "")
    stem = f"{bench.name}--{kind}--{mark}"
    supergraph = folder / f"{bench.name}.graphql"
    supergraph.write_text(bench.data.supergraph.sdl)
    again = {
        "supergraph": supergraph.name,
        "setting": asdict(bench.setting),
        "query": difference.operation.query,
        "variables": difference.operation.variables,
        "operation_name": difference.operation.operation_name,
    }
    (folder / f"{stem}.json").write_text(json.dumps(again, indent=2))
    path = folder / f"{stem}.md"
    path.write_text(describe(bench, difference))
    return path


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < _MAX_ANSWER_CHARACTERS else text[:_MAX_ANSWER_CHARACTERS] + " …"
