"""A scripted web server on the loopback interface, and the ways in which one can go wrong."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], object]


@dataclass
class Mirrors:
    """Answers by path: each request takes the next, and the last one is repeated."""

    port: int
    stop: threading.Event
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def address(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.port}/{folder}"

    def script(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def next_answer(self, path: str) -> Answer:
        self.requests.append(path)
        answers = self.answers[path]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def serve() -> Iterator[Mirrors]:
    """Run a server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the client may hang up first
                scripted.next_answer(self.path)(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scripted = Mirrors(server.server_address[1], threading.Event())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield scripted
    finally:
        scripted.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def whole(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def truncated(body: bytes) -> Answer:
    return whole(body, Content_Length=str(len(body) + 10))


def chunked(body: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    def answer(handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n" + end)
        handler.close_connection = True

    return answer


def silent(mirrors: Mirrors) -> Answer:
    return lambda _handler: mirrors.stop.wait()


def stalling(mirrors: Mirrors, begin: bytes) -> Answer:
    """Send the begin of a body, and then nothing more."""

    def answer(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(begin)
        mirrors.stop.wait()

    return answer
