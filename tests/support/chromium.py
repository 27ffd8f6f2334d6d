"""A headless Chromium driven over a pair of pipes by its DevTools protocol: no driver and no package is needed."""

import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
EXECUTABLE = next((path for name in NAMES if (path := shutil.which(name))), None)
OPTIONS = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --remote-debugging-pipe"
SECONDS = 60


class Page:
    """One page. `events` are all messages of the browser about it, such as requests and console messages."""

    def __init__(self, profile: Path):
        down, up = os.pipe(), os.pipe()
        script = f'exec "$0" "$@" 3<&{down[0]} 4>&{up[1]}'  # the protocol reads from 3 and writes to 4
        command = ["bash", "-c", script, EXECUTABLE, *OPTIONS.split(), f"--user-data-dir={profile}"]
        log = open(profile.with_suffix(".log"), "wb")
        self.process = subprocess.Popen(command, pass_fds=(down[0], up[1]), stdout=log, stderr=log)
        log.close()
        os.close(down[0])
        os.close(up[1])
        self.write, self.read = down[1], up[0]
        self.buffer, self.ids, self.events, self.session = b"", itertools.count(1), [], None
        self.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def send(self, method: str, **parameters) -> dict:
        """The result of one command."""
        number = next(self.ids)
        message = {"id": number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict:
        """The next message; an event is kept too."""
        end = time.monotonic() + SECONDS
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read], [], [], max(0, end - time.monotonic()))
            assert ready, f"no answer of {EXECUTABLE} in {SECONDS} s"
            part = os.read(self.read, 1 << 20)
            assert part, f"{EXECUTABLE} ended with {self.process.wait()}"
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, path: Path) -> None:
        """Load a file and wait for its load event."""
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._next()

    def run(self, expression: str):
        """The JSON value of an expression, as a user's click would run it; promises are awaited."""
        options = dict(returnByValue=True, awaitPromise=True, userGesture=True)
        answer = self.send("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key in what has the focus."""
        code = {"Enter": 13, "Escape": 27}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if (key, kind) == ("Enter", "keyDown") else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def complaints(self) -> list[dict]:
        """Console messages, log entries and uncaught exceptions since the page was opened."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event for event in self.events if event["method"] in kinds]

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, without those of data URIs."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:")]

    def close(self) -> None:
        os.close(self.write)  # Chromium ends where its pipe ends
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read)
