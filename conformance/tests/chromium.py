"""A real browser over its debugging pipe (Chrome DevTools Protocol, NUL-separated JSON): nothing but the standard
library and Debian's chromium.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
PATIENCE_S = 30.0
KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": ("Space", 32, " ")}
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """One page of a browser; keys are pressed, nothing is clicked by script."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        line = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        command = ["bash", "-c", line, PROGRAM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        with (folder / "chromium.log").open("wb") as log:
            self._process = subprocess.Popen(command, pass_fds=(to_read, to_write), stdout=log, stderr=log)
        os.close(to_read)
        os.close(to_write)
        self._count, self._buffer, self._session = 0, b"", ""
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(str(answer["params"]["request"]["url"]))
            if answer.get("id") == self._count:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    return {"result": {}}  # asked between two pages
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def goto(self, address: str) -> None:
        """Open an address and wait until the page is there."""
        self.call("Page.navigate", url=address)
        self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    def see(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.see(expression) is True:
                return
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}; the page: {self.see('document.body.innerText')[:800]}")

    def press(self, key: str) -> None:
        """One key of the keyboard."""
        code, number, text = KEYS[key]
        named = {"key": text if key == "Space" else key, "code": code, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def tab_to(self, condition: str, most: int = 60) -> None:
        """Press Tab until the focused element fulfils a condition on `e`."""
        for _ in range(most):
            if self.see(f"(e => {condition})(document.activeElement)") is True:
                return
            self.press("Tab")
        raise AssertionError(f"the keyboard does not reach {condition}")

    def screenshot(self, file: Path) -> None:
        """What it looks like."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._read, 65_536) if ready else b""
            assert chunk, "the browser says nothing more"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded
