"""A real headless Chromium, driven over a pair of pipes: no port, no driver, no library."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-prefers-reduced-motion", "--remote-debugging-pipe",
)  # fmt: skip
_TIMEOUT = 60.0
KEYS = {
    "ArrowRight": 39, "ArrowLeft": 37, "ArrowUp": 38, "ArrowDown": 40, "Home": 36, "End": 35,
    "PageUp": 33, "PageDown": 34, "Tab": 9, "Enter": 13,
}  # fmt: skip


class Browser:
    """A browser with one tab. What it loads, logs and throws is kept.

    Attributes:
        requests: URLs asked for since `open`.
        blocked: why the browser let some of them not through.
        complaints: console messages and exceptions since `open`.
    """

    def __init__(self, profile):
        reads, commands = _pipe()
        answers, writes = _pipe()
        # DevTools speaks on descriptors 3 and 4.
        shell = f'exec "$@" 3<&{reads} 4>&{writes}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "browser", CHROMIUM, *_FLAGS, f"--user-data-dir={profile}",
             "about:blank"],
            pass_fds=(reads, writes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(reads)
        os.close(writes)
        self._commands, self._answers = commands, answers
        self._rest, self._id, self._session = b"", 0, None
        self.requests, self.blocked, self.complaints, self._loaded = [], [], [], False
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # as a window in front

    def call(self, method, **parameters):
        """Send a command and return its result."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._commands, content) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._id:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, url, *, scripts=True):
        """Load a page."""
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        # From a page of its own, or another `#part` of the same page would load nothing.
        for one in ("about:blank", str(url)):
            self.requests, self.blocked, self.complaints, self._loaded = [], [], [], False
            self.call("Page.navigate", url=one)
            while not self._loaded:
                self._next()

    def run(self, script):
        """Return what a JavaScript expression comes to; a promise is waited for."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def text(self, selector):
        """The text of an element as it is shown."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def press(self, key, times=1):
        """Press a key on whatever has the focus."""
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                code = KEYS[key]
                text = {"text": "\r"} if (kind, key) == ("keyDown", "Enter") else {}
                self.call(
                    "Input.dispatchKeyEvent", type=kind, key=key, code=key, **text,
                    windowsVirtualKeyCode=code, nativeVirtualKeyCode=code,
                )  # fmt: skip

    def screen(self, width, height, *, dark=False):
        """Set the window's size, and light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def close(self):
        """End it."""
        with contextlib.suppress(OSError):
            os.close(self._commands)
            os.close(self._answers)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def _next(self):
        """Return the next message, after a look whether it is one to keep."""
        deadline = time.monotonic() + _TIMEOUT
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, "the browser does not answer"
            got = os.read(self._answers, 1 << 20)
            assert got, "the browser has ended"
            self._rest += got
        content, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(content)
        method, facts = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method == "Network.loadingFailed":
            self.blocked.append(facts.get("blockedReason"))
        elif method == "Page.loadEventFired":
            self._loaded = True
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(facts)
        return message


def _pipe():
    """A pipe whose ends are out of the way of descriptors 3 and 4."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20))
        os.close(end)
    return ends
