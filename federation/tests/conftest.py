"""Makes the two proof tools, `federation_audit` and `federation_fuzz`, importable for the tests beside them."""

import sys
from pathlib import Path

for folder in ("audit", "fuzz"):
    sys.path.append(str(Path(__file__).parent / folder))
