"""`python -m zooselect`, and the console script."""

from __future__ import annotations

import gc
import signal
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # An answer is there before there is garbage worth collecting: looking for some while
    # modules are imported, and once more at the end, would take an eighth of the time.
    gc.set_threshold(100_000)
    if sys.argv[1:2] != ["serve"]:  # which ends in an order of its own
        signal.signal(signal.SIGTERM, _interrupted)
    try:
        # Imported here so that Ctrl-C is answered in one line from the first moment on.
        from zooselect.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        code = 130
    gc.freeze()
    sys.exit(code)


def _interrupted(number: int, frame: object) -> None:
    """End on SIGTERM as on Ctrl-C: what is on its way is left so that it can be gone on with."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
