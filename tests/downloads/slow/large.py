"""Downloads of hundreds of MB in processes of their own, killed and measured."""

import os
import subprocess
import sys

from tests.downloads.zoo_server import V1

#: Runs the command, and tells the most memory it took (KiB) as the last line of stderr. Not by
#: `getrusage`: on Linux that also counts what the process was before it became this one.
_MEASURED = """
import sys
from zooselect.cli.main import run
code = run(sys.argv[1:])
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(most.split()[1], file=sys.stderr)
sys.exit(code)
"""
#: As a file system that lets everyone have a lock.
NO_LOCKS = """
import fcntl
fcntl.flock = fcntl.lockf = lambda *arguments: None
"""


def process(zoo, folder, *arguments, **variables):
    """Start a download in a process of its own."""
    command = [sys.executable, "-c", _MEASURED, "download", V1, "--api-url", zoo.url, "--dir",
               str(folder), *arguments]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **variables},
    )  # fmt: skip
