"""`serve`: a real process, asked over real HTTP."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

from rerank_cli import open_library
from rerank_cli.serve.app import MOST_BODY_BYTES
from rerank_cli.serve.asked import MOST_TEXTS, SEARCH_KEYS
from rerank_cli.serve.queue import MOST_RETRY_S
from tests.cli.conftest import Cli, assert_one_line, write_files
from tests.fakes import FakeEncoder, FakeReranker
from tests.serving import Served, fakes_served, started

FILES = {
    "gas.md": "# Gas\n\nShut the gas valve when you smell gas.\n",
    "notes/boat.md": "# Boat\n\nThe boat lies in the shed.\n",
    **{f"step-{n}.md": f"# Step {n}\n\nTurn the valve number {n} of the pump.\n" for n in range(40)},
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of `FILES`, made with the fake encoder."""
    folder = tmp_path_factory.mktemp("served")
    made(write_files(folder / "docs", FILES), folder / "index")
    return folder / "index"


def made(docs: Path, index: Path) -> None:
    with open_library(docs, index=index, encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        library.update()


@pytest.fixture(scope="module")
def served(index: Path) -> Iterator[Served]:
    with fakes_served(index) as server:
        yield server


def said(response: httpx2.Response, status: int) -> Any:
    """The error in *response*: one line and a remedy, in JSON."""
    assert response.status_code == status, response.text
    record = response.json()
    assert record.keys() == {"error", "remedy"}
    assert record["error"] and record["remedy"] and "\n" not in record["error"] + record["remedy"]
    return record


# Answers


def test_a_search_is_answered_with_what_query_prints(served: Served, index: Path) -> None:
    asked = {"query": "smell of gas", "query_id": "q7", "top_n": 3}
    answer = served.post("/search", asked).json()
    with open_library(index=index, encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        hits = library.search("smell of gas", top_n=3).hits
    assert [hit["path"] for hit in answer["hits"]] == [hit.path for hit in hits]
    assert [hit["order_score"] for hit in answer["hits"]] == pytest.approx([hit.order_score for hit in hits])
    assert answer["hits"][0]["text"] == hits[0].text
    assert (answer["query_id"], answer["query"], answer["partial"]) == ("q7", "smell of gas", False)


def test_a_search_keeps_to_the_documents_that_are_asked_for(served: Served) -> None:
    found = served.post("/search", {"query": "valve", "paths": ["step-1*.md"], "top_n": 50}).json()
    assert len(found["hits"]) == 11
    assert served.post("/search", {"query": "valve", "extensions": "pdf"}).json()["hits"] == []


def test_texts_are_reranked(served: Served) -> None:
    asked = {"query": "smell of gas", "texts": ["a boat", "the smell of gas", "gas"], "top_n": 2}
    answer = served.post("/rerank", asked).json()
    assert [each["index"] for each in answer["ranked"]] == [1, 2]
    assert answer["ranked"][0]["score"] > answer["ranked"][1]["score"]
    assert (answer["texts"], answer["reranked"], answer["partial"]) == (3, 3, False)


def test_status_tells_what_is_searched(served: Served, index: Path) -> None:
    status = served.get("/status").json()
    assert status["index"]["root"] == str(index.parent / "docs")
    assert status["holds"]["files"] == len(FILES)
    assert status["models"]["reranker_fingerprint"] == "fake-reranker"
    assert status["serving"]["max_budget"] == 30.0


def test_metrics_are_what_prometheus_reads(served: Served) -> None:
    read, recalled = served.figure("pairs_total"), served.figure("recalled_total")
    for times in (0, 1):
        answer = served.post("/search", {"query": "valve of whom"}).json()
        assert served.figure("pairs_total") == read + answer["reranked"]
        assert served.figure("recalled_total") == recalled + times * answer["reranked"]
    text = served.get("/metrics").text
    assert served.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        assert line.startswith("# ") or (name.startswith("rerank_cli_") and float(value) >= 0)
    assert 'rerank_cli_requests_total{path="/search",status="200"}' in text
    assert served.figure("resident_bytes") > 1_000_000


def test_without_reranking_the_first_stage_s_score_is_shown(served: Served) -> None:
    for hit in served.post("/search", {"query": "valve", "rerank": False}).json()["hits"]:
        assert hit["shown_score"] == hit["order_score"] and hit["score"] is None


def test_the_openapi_document_tells_of_every_path_and_every_key(served: Served) -> None:
    document = served.get("/openapi.json").json()
    assert document["paths"].keys() == {"/search", "/rerank", "/status", "/metrics", "/health", "/openapi.json"}
    assert document["components"]["schemas"]["Search"]["properties"].keys() == SEARCH_KEYS
    answer = served.post("/search", {"query": "valve"}).json()
    assert document["components"]["schemas"]["Found"]["properties"].keys() <= answer.keys()
    hit = document["components"]["schemas"]["Found"]["properties"]["hits"]["items"]["properties"]
    ranked = document["components"]["schemas"]["Ranked"]["properties"]["ranked"]["items"]["properties"]
    for nothing in (hit["score"], ranked["score"], ranked["logit"]):
        assert nothing["type"] == ["number", "null"], "where time ran out, or nothing is reranked"
    texts = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert name == "Error" or f'"#/components/schemas/{name}"' in texts


# What cannot be meant


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({}, "query"),
        ({"query": ""}, "empty"),
        ({"query": 7}, "query"),
        ({"query": "x" * 1001}, "query"),
        ({"query": "gas", "qery": 1}, "unknown key 'qery'"),
        ({"query": "gas", "encoder": "/etc/passwd"}, "unknown key 'encoder'"),
        ({"query": "gas", "converter": ".md=cat {}"}, "unknown key 'converter'"),
        ({"query": "gas", "tokenizer": "/etc/passwd"}, "unknown key 'tokenizer'"),
        ({"query": "gas", "top_k": 100000}, "top_k"),
        ({"query": "gas", "top_k": True}, "top_k"),
        ({"query": "gas", "top_n": 10**9}, "top_n"),
        ({"query": "gas", "budget": -1}, "budget"),
        ({"query": "gas", "budget": "soon"}, "budget"),
        ({"query": "gas", "budget": []}, "budget"),
        ({"query": "gas", "since": "yesteryear"}, "yesteryear"),
        ({"query": "gas", "since": {}}, "since"),
        ({"query": "gas", "paths": 3}, "paths"),
        ({"query": "gas", "paths": ["*"] * 21}, "paths"),
        ({"query": "gas", "paths": ["*" * 201]}, "paths"),
        ({"query": "gas", "where": ["="]}, "where"),
        ({"query": "gas", "query_id": []}, "query_id"),
        ([], "object"),
        ("gas", "object"),
    ],
)
def test_a_search_that_cannot_be_meant_is_told_in_one_line(served: Served, record: Any, told: str) -> None:
    assert told in said(served.post("/search", record), 400)["error"]


@pytest.mark.parametrize(
    "record",
    [
        {"query": "gas"},
        {"query": "gas", "texts": []},
        {"query": "gas", "texts": "gas"},
        {"query": "gas", "texts": [1]},
        {"query": "gas", "texts": ["x" * 20_001]},
        {"query": "gas", "texts": ["x"] * (MOST_TEXTS + 1)},
        {"query": "gas", "texts": ["x"], "top_n": 0},
        {"query": "gas", "texts": ["x"], "files": ["/etc/passwd"]},
    ],
)
def test_texts_that_cannot_be_meant_are_told_in_one_line(served: Served, record: Any) -> None:
    said(served.post("/rerank", record), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"query": NaN}',
        b'{"query": "gas", "top_k": ' + b"9" * 10_000 + b"}",
        b'{"query": "\\ud800", "where": ["\\udfff=\\ud800"]}',
    ],
)
def test_no_body_brings_the_server_down(served: Served, body: bytes) -> None:
    response = httpx2.post(served.url + "/search", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400), response.text
    assert served.get("/health").json() == {"status": "ok"}


def test_wrong_ways_have_their_codes(served: Served) -> None:
    wrong = served.get("/search")
    assert said(wrong, 405) and wrong.headers["allow"] == "POST"
    said(served.post("/health", {}), 405)
    said(served.post("/search/", {"query": "gas"}), 404)
    said(served.get("/../../etc/passwd"), 404)
    said(served.get("/search/../../etc/passwd"), 404)
    said(httpx2.post(served.url + "/search", content=b'{"query": "gas"}'), 415)


@pytest.mark.parametrize("path", ["../secret.md", "/etc/passwd", "..", "/**", "**/../../*"])
def test_nothing_outside_the_index_is_found(served: Served, index: Path, path: str) -> None:
    (index.parent / "secret.md").write_text("the valve of the secret\n", encoding="utf-8")
    response = served.post("/search", {"query": "the valve of the secret", "paths": [path], "top_n": 100})
    assert response.status_code in (200, 400)
    hits = response.json().get("hits", [])
    assert {hit["path"] for hit in hits} <= FILES.keys()


def test_a_body_that_is_too_large_is_refused_before_it_has_come(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(head("/search", f"Content-Length: {MOST_BODY_BYTES + 1}"))
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_that_has_no_end_is_refused_too(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(head("/search", "Transfer-Encoding: chunked"))
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            for _ in range(MOST_BODY_BYTES // 0x10000 + 2):
                client.sendall(piece)
        except OSError:  # it has hung up
            pass
        else:
            assert client.recv(100).startswith(b"HTTP/1.1 413")


def head(path: str, *headers: str, host: str = "127.0.0.1") -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode()


def test_slow_clients_keep_nobody_waiting_and_are_hung_up_on(index: Path, tmp_path: Path) -> None:
    (tmp_path / "hasty.py").write_text(
        "import sys\nfrom rerank_cli.serve import app, server\nfrom tests.serving import main\n"
        "app.BODY_S = server.HEADERS_S = 0.5\nmain(*sys.argv[1:])\n"
    )
    with started(["hasty", index, "0", "8", "30", "127.0.0.1"], more_path=tmp_path) as server:
        silent, halting, slow = (socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(3))
        halting.sendall(b"POST /search HTTP/1.1\r\nHost: 127.0")
        slow.sendall(head("/search", "Content-Length: 100") + b"{")
        assert server.post("/search", {"query": "gas"}).status_code == 200
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
        assert halting.recv(100) == b""
        assert silent.recv(100) == b""
        for client in (silent, halting, slow):
            client.close()


# Who may ask


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::2]"])
def test_another_name_for_this_machine_is_refused(served: Served, host: str) -> None:
    said(served.get("/status", headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:80", "[::1]"])
def test_this_machine_may_be_called_by_its_names(served: Served, host: str) -> None:
    assert served.get("/status", headers={"Host": host}).status_code == 200


def test_any_address_of_this_machine_alone_may_be_listened_at(index: Path) -> None:
    with fakes_served(index, host="127.0.0.2") as server:
        assert server.get("/status").status_code == 200
        said(server.get("/status", headers={"Host": "evil.example"}), 400)


@pytest.mark.parametrize("token", ["pässword", " secret", "a\tb", "\udcff"])
def test_a_token_that_no_header_holds_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("RERANK_CLI_SERVE_TOKEN", token)
    outcome = cli("serve", "--http", "127.0.0.1:0")
    assert outcome.code == 2
    assert_one_line(outcome, "RERANK_CLI_SERVE_TOKEN")


def test_a_name_that_is_none_is_told(indexed: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_SERVE_TOKEN", "secret")
    outcome = cli("serve", "--http", "a..b:80")
    assert outcome.code == 4
    assert_one_line(outcome, "a..b:80: cannot be listened at")


def test_beyond_this_machine_a_token_is_asked_for(index: Path) -> None:
    with fakes_served(index, host="0.0.0.0", RERANK_CLI_SERVE_TOKEN="correct horse") as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "correct horse"}):
            refused = server.post("/search", {"query": "gas"}, headers=headers)
            said(refused, 401)
            assert refused.headers["www-authenticate"] == "Bearer"
        known = {"Authorization": "Bearer correct horse"}
        assert server.post("/search", {"query": "gas"}, headers=known).status_code == 200
        for path in ("/status", "/metrics", "/openapi.json", "/nowhere"):
            said(server.get(path), 401)
        assert server.get("/health").status_code == 200
        assert server.get("/status", headers={**known, "Host": "search.example"}).status_code == 200


def test_without_a_token_nobody_else_is_served(cli: Cli) -> None:
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:80", "search.example:80"):
        outcome = cli("serve", "--http", address)
        assert outcome.code == 2
        assert_one_line(outcome, "RERANK_CLI_SERVE_TOKEN")


@pytest.mark.parametrize("address", ["8765", "localhost", ":8765", "localhost:http", "localhost:65536", "localhost:²"])
def test_an_address_that_is_none_is_told(cli: Cli, address: str) -> None:
    outcome = cli("serve", "--http", address)
    assert outcome.code == 2
    assert_one_line(outcome, "write it as in 127.0.0.1:8765")


def test_a_place_that_another_has_is_told(cli: Cli, indexed: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        outcome = cli("serve", "--http", f"127.0.0.1:{other.getsockname()[1]}")
    assert outcome.code == 4
    assert_one_line(outcome, "cannot be listened at")


def test_a_time_that_is_none_is_told(cli: Cli) -> None:
    for budget in ("soon", "null", "0"):
        outcome = cli("serve", "--max-budget", budget)
        assert outcome.code == 2
        assert_one_line(outcome, "--max-budget")


def test_without_the_extra_it_says_how_to_get_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.extras.find_spec", lambda name: None)
    outcome = cli("serve")
    assert outcome.code == 2
    assert_one_line(outcome, "pip install 'rerank-cli[serve]'")


# Time


def test_time_cuts_how_many_are_reranked_and_says_so(index: Path) -> None:
    with fakes_served(index, pair_s=0.05) as server:
        answer = server.post("/search", {"query": "valve", "budget": 1.0, "top_n": 50}).json()
        assert answer["partial"] and 8 <= answer["reranked"] < answer["candidates"]
        assert len(answer["hits"]) == len(FILES)
        ranked = server.post(
            "/rerank", {"query": "gas", "texts": [f"gas {n}" for n in range(100)], "budget": "1s"}
        ).json()
        assert ranked["partial"] and 0 < ranked["reranked"] < 100
        assert [each["index"] for each in ranked["ranked"]][-1] == 99
        assert ranked["ranked"][-1]["score"] is None


def test_a_request_has_no_more_time_than_the_server_gives(index: Path) -> None:
    with fakes_served(index, pair_s=0.05, most_s=1.0) as server:
        for asked in ({"query": "valve", "budget": 600}, {"query": "valve"}):
            assert server.post("/search", asked).json()["partial"]


def test_who_asks_again_gets_further(index: Path) -> None:
    with fakes_served(index, pair_s=0.05) as server:
        asked = {"query": "valve", "budget": 1.0}
        depths = [server.post("/search", asked).json()["reranked"] for _ in range(4)]
        assert depths[0] < depths[1] <= depths[2] <= depths[3] == len(FILES)
        begun = time.monotonic()
        assert not server.post("/search", asked).json()["partial"]
        assert time.monotonic() - begun < 1.0 < 0.05 * len(FILES)
        brought = {"query": "gas", "texts": [f"gas {n}" for n in range(100)], "budget": 1.0}
        for _ in range(3):  # what clients bring is read each time
            assert server.post("/rerank", brought).json()["reranked"] < 40


def test_many_at_once_get_an_answer_or_are_told_when_to_ask_again(index: Path) -> None:
    with fakes_served(index, pair_s=0.002, queue=4, most_s=3.0) as server, ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda n: server.post("/search", {"query": f"valve {n}"}), range(40)))
        codes = {answer.status_code for answer in answers}
        assert codes == {200, 429}
        for refused in (answer for answer in answers if answer.status_code == 429):
            said(refused, 429)
            assert 1 <= int(refused.headers["retry-after"]) <= MOST_RETRY_S
        assert server.figure("waiting") == server.figure("running") == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="without /proc nobody can tell")
def test_no_thread_is_begun_for_who_is_refused(index: Path) -> None:
    """Some memory stays with each, and the processor is with those that answer."""
    with fakes_served(index) as server:
        threads = Path(f"/proc/{server.process.pid}/task")
        before = sorted(threads.iterdir())
        said(server.get("/nowhere"), 404)
        said(server.post("/search", {"query": ""}), 400)
        assert sorted(threads.iterdir()) == before


def test_a_client_that_hangs_up_takes_no_time_of_others(index: Path) -> None:
    with fakes_served(index, pair_s=0.1) as server:
        body = b'{"query": "valve"}'
        for _ in range(2):  # four seconds of work for each
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(head("/search", f"Content-Length: {len(body)}") + body)
                wait_until(lambda: server.figure("running") == 1)
            wait_until(lambda: server.figure("running") == 0)
        assert server.figure("given_up_total") == 2
        assert server.figure("pairs_total") == 0
        assert server.stop() == 0
        assert server.process.stderr and server.process.stderr.read() == ""


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


# What changes meanwhile


def test_what_is_committed_is_found_without_a_restart(tmp_path: Path) -> None:
    docs = write_files(tmp_path / "docs", {"gas.md": "Smell of gas.\n"})
    made(docs, tmp_path / "index")
    with fakes_served(tmp_path / "index") as server:
        assert server.get("/status").json()["index"]["generation"] == 1
        write_files(docs, {"heron.md": "The heron fishes.\n"})
        made(docs, tmp_path / "index")
        for _ in range(3):  # whichever worker answers
            found = server.post("/search", {"query": "heron fishes"}).json()
            assert found["hits"][0]["path"] == "heron.md"
        assert server.get("/status").json()["index"]["generation"] == 2


def test_a_bug_is_told_to_who_serves_and_takes_nobody_else_along(index: Path) -> None:
    with fakes_served(index) as server:
        error = said(server.post("/search", {"query": "break down"}), 500)
        assert "broke down" not in error["error"]
        assert server.post("/search", {"query": "gas"}).status_code == 200
        assert server.stop() == 0
        assert server.process.stderr
        assert "RuntimeError: the reranker broke down" in server.process.stderr.read()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_all_have_their_answers(index: Path, sent: int) -> None:
    with fakes_served(index, pair_s=0.02) as server, ThreadPoolExecutor(3) as clients:
        asked = [clients.submit(server.post, "/search", {"query": f"valve {n}"}) for n in range(3)]
        wait_until(lambda: server.figure("running") + server.figure("waiting") == 3)
        server.process.send_signal(sent)
        wait_until(lambda: server.get("/health").status_code == 503)
        assert said(server.post("/search", {"query": "late"}), 503)["error"] == "the server is stopping"
        assert [each.result().status_code for each in asked] == [200, 200, 200]
        assert server.process.wait(60) == 0


def test_an_idle_server_ends_at_once(index: Path) -> None:
    with fakes_served(index) as server, httpx2.Client() as client:  # a connection that stays open
        client.get(server.url + "/health")
        assert server.stop() == 0


# The command itself


def test_the_command_serves_the_index_of_where_one_stands(indexed: Path, cli: Cli) -> None:
    question = "why is my radiator cold at the top"
    printed = json.loads(cli("query", question, "--format", "jsonl").out)
    with started(["rerank_cli", "serve", "--http", "127.0.0.1:0"], stand=indexed) as server:
        answer = server.post("/search", {"query": question}).json()
        assert {**answer, "timings": {}} == {**printed, "timings": {}}
        assert server.stop(signal.SIGINT) == 0
