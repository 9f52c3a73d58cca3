"""The fake platform on a local port, for a product that runs in a process of its own.

with serving(FakePlatform(base_url="http://127.0.0.1:0")) as platform:
    print(platform.base_url)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offcampus_sdk.testing.fake import FakePlatform


@contextmanager
def serving(platform: FakePlatform, port: int = 0) -> Iterator[FakePlatform]:
    """Serve on 127.0.0.1 while the block runs; `platform.base_url` becomes the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = platform.answer(self.command, platform.base_url + self.path, headers, content)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            """Nothing: bodies may be personal, and the test looks at `platform`."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    platform.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
