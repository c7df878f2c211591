"""``python -m skmtl.benchmark``."""

from __future__ import annotations

import sys

from skmtl.benchmark._cli import main

if __name__ == "__main__":
    sys.exit(main())
