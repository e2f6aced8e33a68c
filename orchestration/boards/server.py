"""The live boards on this machine: every request draws its page from the copy that is published at that moment.

Pages are kept by copy, board and choices, so that a second look costs nothing; a publish makes all of them new.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from orchestration.boards.formats import html
from orchestration.boards.links import LiveLinks
from orchestration.boards.page import UnknownChoice, page
from orchestration.boards.reading import Copy, Night
from orchestration.boards.specification import Board

# The pages ask nobody for a password, so nobody but this machine may reach them.
HOST = "127.0.0.1"
KEPT_PAGES = 200
# Nothing may leave the page, and nothing of another page may get in.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class BoardServer(ThreadingHTTPServer):
    """Serves the boards until it is shut down. `opened` gives the newest copy, `unpublished` what it may raise."""

    daemon_threads = True

    def __init__(
        self,
        port: int,
        boards: Sequence[Board],
        style: str,
        opened: Callable[[], AbstractContextManager[Copy]],
        unpublished: type[Exception],
    ) -> None:
        self.boards = {board.name: board for board in boards}
        self.style = style
        self.opened = opened
        self.unpublished = unpublished
        self._kept: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Answer)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/"

    def draw(self, name: str, asked: dict[str, str]) -> str:
        """The page of a board with these choices, from the newest copy."""
        with self.opened() as copy:
            key = (copy.label, name, *(f"{k}={v}" for k, v in sorted(asked.items())))
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            boards = list(self.boards.values())
            text = page(boards, self.boards[name], Night(copy), asked, LiveLinks(), self.style)
        with self._lock:
            self._kept[key] = text
            while len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)
        return text


class _Answer(BaseHTTPRequestHandler):
    server: BoardServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # A page of another site may point its own name at this machine; it must not read the boards.
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in (HOST, "localhost"):
            self._send(HTTPStatus.FORBIDDEN, _plain("This server answers on 127.0.0.1 only."))
            return
        address = urlsplit(self.path)
        name = address.path.strip("/") or next(iter(self.server.boards))
        if name not in self.server.boards:
            known = ", ".join(self.server.boards)
            self._send(
                HTTPStatus.NOT_FOUND, _plain(f"There is no board {name}; there are {known}.")
            )
            return
        try:
            text = self.server.draw(name, dict(parse_qsl(address.query)))
        except UnknownChoice as error:
            self._send(HTTPStatus.BAD_REQUEST, _plain(str(error)))
        except self.server.unpublished as error:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, _plain(str(error)))
        except Exception as error:
            # Whoever looks at the page is the person who can mend it.
            self.log_error("%s", error)
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _plain(f"{name} cannot be drawn: {error}"))
        else:
            self._send(HTTPStatus.OK, text)

    def _send(self, status: HTTPStatus, text: str) -> None:
        body = text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        # The next night is a reload away, never a night late.
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Good answers are not news."""


def _plain(text: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'
        f"<title>Boards</title><h1>Boards</h1><p>{html(text)}</p><p><a href='/'>First board</a></p></html>"
    )
