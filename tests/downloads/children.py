"""Downloads in processes of their own, forked: many a second, and each may be killed."""

import contextlib
import os
import random
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path

from tests.downloads import disk
from tests.downloads.zoo_server import V1


def start(url, folder, *arguments, before=lambda: None):
    """Start `zooselect download` in a child; return its process id."""
    # Imported before the fork, or every child would do so.
    import filelock  # noqa: F401

    import zooselect.downloads.api_files
    import zooselect.downloads.model
    import zooselect.net.client  # noqa: F401
    from zooselect.cli.main import run

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the server's threads do no harm
        child = os.fork()
    if child:
        return child
    code = 70
    try:
        # Whoever is killed at once dies of the signal, as a process of its own would.
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(null, stream)
        sys.stdout, sys.stderr = (open(stream, "w", closefd=False) for stream in (1, 2))  # noqa: SIM115
        before()
        code = run(["download", V1, "--api-url", url, "--dir", str(folder), *arguments])
    except KeyboardInterrupt:
        code = 130
    finally:
        os._exit(code)


def ended(child):
    """Wait for a child; its exit code, or the signal it died of as a negative number."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Kills:
    """Kills downloads at random moments, and counts what that did.

    Attributes:
        tried: downloads that a signal met.
        ended: downloads that were done before.
        accepted: corrupt files that a manifest vouched for.
        stray: files left over after a success.
        failed: runs after a kill that did not succeed.
    """

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.tried = self.ended = self.accepted = self.stray = self.failed = 0

    def round(self, zoo, folder, files, within, run=start):
        """Kill a download, once or a few times; look; let the next one end; look again."""
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            child = run(zoo.url, folder)
            time.sleep(self.chance.uniform(0, within))
            sign = self.chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM,
                                       signal.SIGINT))  # fmt: skip
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, sign)
            if ended(child) == 0:
                self.ended += 1
            else:
                self.tried += 1
            self._look(folder, files)
        pace, zoo.pace = zoo.pace, 0.0
        if ended(run(zoo.url, folder)) != 0:
            self.failed += 1
        zoo.pace = pace
        self._look(folder, files)
        names = set(disk.visible(folder)) ^ set(files)
        self.stray += len(disk.private(folder)) + len(names)
        shutil.rmtree(folder)

    def _look(self, folder, files):
        """Whatever a manifest vouches for must be the right content, and all of it."""
        held = disk.manifest(folder)
        if held is None:
            return
        wrong = disk.corrupt_files(folder)
        wrong += [name for name in files if held["files"].get(name) is None]
        there = [name for name in files if name not in wrong]
        wrong += [name for name in there if (Path(folder) / name).read_bytes() != files[name]]
        self.accepted += len(set(wrong))

    @property
    def bad(self):
        """What must be nothing."""
        return {"corrupt files accepted": self.accepted, "stray files left": self.stray,
                "next runs failed": self.failed}  # fmt: skip

    def __str__(self):
        counts = {"faults tried": self.tried, "ended before the signal": self.ended, **self.bad}
        return "  ".join(f"{name}: {count}" for name, count in counts.items())
