"""A server on this machine that answers as the endpoints of models do, or as badly as a test wants."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes import FakeEncoder, FakeReranker

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class FakeEndpoint:
    """A server that answers as `replies` say, one after another and the last for good, and keeps what it was asked."""

    url: str = ""
    replies: list[Callable[[Any], Reply]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


class ModelServer:
    """Serves until it is closed."""

    def __enter__(self) -> FakeEndpoint:
        self.endpoint = endpoint = FakeEndpoint()
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    reply = endpoint.replies.pop(0) if len(endpoint.replies) > 1 else endpoint.replies[0]
                    endpoint.asked.append(body)
                    endpoint.keys.append(self.headers["Authorization"])
                    endpoint.paths.append(self.path)
                code, headers, content = reply(body)
                if code == 0:  # hang up
                    self.connection.close()
                    return
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", headers.get("Length", str(len(content))))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign, assignment]
        endpoint.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return endpoint

    def __exit__(self, *_: object) -> None:
        self.endpoint.ended.set()
        self.server.shutdown()
        self.server.server_close()


def as_json(record: object, code: int = 200, **headers: str) -> Reply:
    return code, headers, json.dumps(record).encode()


def answers(record: object, code: int = 200, **headers: str) -> Callable[[Any], Reply]:
    return lambda _: as_json(record, code, **headers)


def embeddings(body: Any) -> Reply:
    """The fake encoder's vectors, twice as long as a unit, in backward order."""
    vectors = FakeEncoder(dimensions=8).encode_passages(body["input"]) * 2
    rows = [{"index": place, "embedding": vector.tolist()} for place, vector in enumerate(vectors)]
    return as_json({"data": rows[::-1]})


def shares(query: str, texts: list[str]) -> list[float]:
    logits = FakeReranker().score_pairs(query, texts).logits
    return [1 / (1 + math.exp(-float(logit))) for logit in logits]


def cohere(body: Any) -> Reply:
    """As Cohere, Jina and vLLM answer: best first."""
    rows = [
        {"index": place, "relevance_score": share}
        for place, share in enumerate(shares(body["query"], body["documents"]))
    ]
    return as_json({"results": sorted(rows, key=lambda row: -row["relevance_score"])})


def tei(body: Any) -> Reply:
    """As Hugging Face's server answers, which calls passages texts."""
    if "texts" not in body:
        return as_json({"error": "Failed to deserialize the JSON body: missing field `texts` at line 1"}, 422)
    scores = shares(body["query"], body["texts"])
    if body["raw_scores"]:
        scores = [math.log(share / (1 - share)) for share in scores]
    return as_json([{"index": place, "score": score} for place, score in enumerate(scores)])
