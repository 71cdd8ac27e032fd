"""Models behind an endpoint, asked over real connections to a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rerank_cli.errors import ModelError
from rerank_cli.models.address import endpoint_at
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.ports import Encoder, Reranker
from tests.endpoints import FakeEndpoint, ModelServer, Reply, answers, as_json, cohere, embeddings, shares, tei
from tests.fakes import FakeEncoder, FakeReranker


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with ModelServer() as served:
        yield served


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which do not happen."""
    taken: list[float] = []
    monkeypatch.setattr("rerank_cli.models.transport.sleep", taken.append)
    return taken


def encoder_at(endpoint: FakeEndpoint, **more: float) -> Encoder:
    return open_encoder(f"{endpoint.url}/v1/embeddings#small", **more)  # type: ignore[arg-type]


def reranker_at(endpoint: FakeEndpoint, *, prefix: str = "", **more: float) -> Reranker:
    return open_reranker(f"{prefix}{endpoint.url}/v1/rerank#small", **more)  # type: ignore[arg-type]


def test_vectors_come_as_units_in_the_order_of_the_texts(endpoint: FakeEndpoint) -> None:
    endpoint.replies = [embeddings]
    texts = [f"text number {number}" for number in range(70)]
    encoder = encoder_at(endpoint)
    np.testing.assert_allclose(encoder.encode_passages(texts), FakeEncoder(dimensions=8).encode_passages(texts), 1e-6)
    assert encoder.dimensions == 8
    assert max(len(body["input"]) for body in endpoint.asked) == 32
    assert {body["model"] for body in endpoint.asked} == {"small"}


def test_an_encoder_counts_tokens_without_asking(endpoint: FakeEndpoint) -> None:
    assert encoder_at(endpoint).count_tokens(["two words", ""]) == [2, 0]
    assert endpoint.asked == []


def test_a_share_is_taken_as_the_sigmoid_of_a_logit(endpoint: FakeEndpoint) -> None:
    endpoint.replies = [cohere]
    passages = [f"{'apple ' * (number % 5)} pie {number}" for number in range(70)]
    reranker = reranker_at(endpoint)
    scores = reranker.score_pairs("apple pie", passages)
    np.testing.assert_allclose(scores.logits, FakeReranker().score_pairs("apple pie", passages).logits, rtol=1e-4)
    assert reranker.activate(scores.logits[3]) == pytest.approx(shares("apple pie", passages)[3])
    assert max(len(body["documents"]) for body in endpoint.asked) == 32


def test_shares_of_0_and_1_order_and_are_finite(endpoint: FakeEndpoint) -> None:
    rows = [{"index": place, "relevance_score": share} for place, share in enumerate((0, 1, 0.5))]
    endpoint.replies = [answers({"results": rows})]
    logits = reranker_at(endpoint).score_pairs("q", ["a", "b", "c"]).logits
    assert np.isfinite(logits).all()
    assert np.argsort(-logits).tolist() == [1, 2, 0]


@pytest.mark.parametrize("prefix", ["", "logits+"])
def test_an_endpoint_that_calls_passages_texts_is_understood(endpoint: FakeEndpoint, prefix: str) -> None:
    endpoint.replies = [tei]
    passages = [f"{'apple ' * (number % 5)} pie {number}" for number in range(70)]
    logits = reranker_at(endpoint, prefix=prefix).score_pairs("apple pie", passages).logits
    np.testing.assert_allclose(logits, FakeReranker().score_pairs("apple pie", passages).logits, rtol=1e-4)
    assert sum("documents" in body for body in endpoint.asked) == 1


def test_scores_that_are_logits_are_told_apart(endpoint: FakeEndpoint) -> None:
    endpoint.replies = [answers({"results": [{"index": 0, "relevance_score": -3.5}]})]
    with pytest.raises(ModelError, match=r"gives a score of -3\.5, which is no share") as raised:
        reranker_at(endpoint).score_pairs("q", ["a"])
    assert f"logits+{endpoint.url}" in raised.value.remedy
    assert reranker_at(endpoint, prefix="logits+").score_pairs("q", ["a"]).logits.tolist() == [-3.5]


def test_no_passages_ask_nothing(endpoint: FakeEndpoint) -> None:
    assert reranker_at(endpoint).score_pairs("q", []).logits.shape == (0,)
    assert endpoint.asked == []


# What goes wrong on the way


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(endpoint: FakeEndpoint, pauses: list[float], code: int) -> None:
    endpoint.replies = [answers({}, code), answers({}, code), embeddings]
    assert encoder_at(endpoint).encode_passages(["a"]).shape == (1, 8)
    assert len(pauses) == 2
    assert pauses[0] <= 0.5
    assert pauses[1] <= 1.0


@pytest.mark.parametrize(("asked", "taken"), [("7", 7.0), ("90000", 30.0)])
def test_an_endpoint_may_say_how_long_to_wait(
    endpoint: FakeEndpoint, pauses: list[float], asked: str, taken: float
) -> None:
    endpoint.replies = [answers({}, 429, **{"Retry-After": asked}), embeddings]
    encoder_at(endpoint).encode_passages(["a"])
    assert pauses == [taken]


def test_a_connection_that_drops_is_tried_again(endpoint: FakeEndpoint, pauses: list[float]) -> None:
    endpoint.replies = [lambda _: (0, {}, b""), lambda _: (200, {"Length": "900"}, b'{"data"'), embeddings]
    assert encoder_at(endpoint, timeout_s=5).encode_passages(["a"]).shape == (1, 8)


def test_what_never_passes_is_told_with_what_the_endpoint_says(endpoint: FakeEndpoint, pauses: list[float]) -> None:
    endpoint.replies = [answers({"error": {"message": "all GPUs\n\x1b[31m are busy"}}, 503)]
    with pytest.raises(ModelError, match=r"answers with 503 \(all GPUs \\x1b\[31m are busy\), 5 times"):
        encoder_at(endpoint).encode_passages(["a"])
    assert len(endpoint.asked) == 5
    assert len(pauses) == 4


def test_nobody_at_the_address_is_told(pauses: list[float]) -> None:
    with ModelServer() as gone:
        url = gone.url
    with pytest.raises(ModelError, match="cannot be reached"):
        open_encoder(f"{url}/v1/embeddings#small").encode_passages(["a"])


def test_an_endpoint_that_is_silent_is_too_slow(endpoint: FakeEndpoint, pauses: list[float]) -> None:
    def silent(_: Any) -> Reply:
        endpoint.ended.wait()
        return as_json({})

    endpoint.replies = [silent]
    with pytest.raises(ModelError, match=r"did not answer within 0\.05 s, 5 times"):
        encoder_at(endpoint, timeout_s=0.05).encode_passages(["a"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>Welcome</html>", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "no list of data"),
        (b'{"data": 3}', "no list of data"),
        (b'{"data": []}', "0 data for 2 texts"),
        (b'{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}', "2 data for 2 texts"),
        (b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]}', "vectors that are none"),
        (b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": ["x"]}]}', "vectors that are none"),
        (b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [NaN]}]}', "vectors that are none"),
        (b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [0]}]}', "vectors that are none"),
        (b'{"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]}', "vectors that are none"),
    ],
)
def test_nonsense_for_vectors_is_told(endpoint: FakeEndpoint, content: bytes, told: str) -> None:
    endpoint.replies = [lambda _: (200, {}, content)]
    with pytest.raises(ModelError, match=told):
        encoder_at(endpoint).encode_passages(["a", "b"])


@pytest.mark.parametrize("score", ["NaN", "null", '"high"', "true", "[1]"])
def test_nonsense_for_scores_is_told(endpoint: FakeEndpoint, score: str) -> None:
    content = f'{{"results": [{{"index": 0, "relevance_score": {score}}}]}}'.encode()
    endpoint.replies = [lambda _: (200, {}, content)]
    with pytest.raises(ModelError, match="scores that are no numbers"):
        reranker_at(endpoint).score_pairs("q", ["a"])


def test_an_answer_without_end_is_given_up(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.models.transport.MOST_BYTES", 1_000_000)
    endpoint.replies = [lambda _: (200, {}, b" " * 3_000_000)]
    with pytest.raises(ModelError, match="more than 1 MB"):
        encoder_at(endpoint).encode_passages(["a"])


def test_what_is_refused_is_not_tried_again(endpoint: FakeEndpoint) -> None:
    endpoint.replies = [answers({"detail": "input too long"}, 413)]
    with pytest.raises(ModelError, match=r"refuses what it was asked \(413: input too long\)"):
        encoder_at(endpoint).encode_passages(["a"])
    assert len(endpoint.asked) == 1


# Keys


def test_the_key_comes_from_its_variable(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.replies = [embeddings]
    monkeypatch.setenv("RERANK_CLI_ENCODER_KEY", "sesame")
    encoder_at(endpoint).encode_passages(["a"])
    assert endpoint.keys == ["Bearer sesame"]


@pytest.mark.parametrize("code", [401, 403])
def test_a_missing_or_wrong_key_names_its_variable(
    endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    endpoint.replies = [answers({"message": "who are you"}, code)]
    with pytest.raises(ModelError, match=r"lets nobody in with no key \(who are you\)") as raised:
        reranker_at(endpoint).score_pairs("q", ["a"])
    assert raised.value.remedy == "put its key in RERANK_CLI_RERANKER_KEY"
    monkeypatch.setenv("RERANK_CLI_RERANKER_KEY", "sesame")
    with pytest.raises(ModelError, match="with this key") as raised:
        reranker_at(endpoint).score_pairs("q", ["a"])
    assert "sesame" not in f"{raised.value}{raised.value.remedy}"


def test_a_key_goes_to_no_other_place(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER_KEY", "sesame")
    with ModelServer() as elsewhere:
        elsewhere.replies = [embeddings]
        endpoint.replies = [answers({}, 307, Location=elsewhere.url)]
        with pytest.raises(ModelError, match=f"has moved to {elsewhere.url}"):
            encoder_at(endpoint).encode_passages(["a"])
        assert elsewhere.asked == []


def test_a_key_is_not_sent_for_everybody_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER_KEY", "sesame")
    with pytest.raises(ModelError, match="would send the key for everybody"):
        open_encoder("http://models.invalid/v1/embeddings#small").encode_passages(["a"])


# Addresses


@pytest.mark.parametrize("address", ["http://", "https://[::1", "https://host:port/x", "https:// host/x", "http://#m"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ModelError, match="is no address"):
        open_encoder(address)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ModelError) as raised:
        open_encoder("https://me:sesame@host/v1/embeddings#small")
    assert "sesame" not in f"{raised.value}{raised.value.remedy}"


def test_another_address_is_another_model() -> None:
    addresses = ["http://h/a#m", "http://h/a#n", "http://h/b#m", "http://h/a", "logits+http://h/a#m"]
    assert len({endpoint_at(address).fingerprint for address in addresses}) == len(addresses)


def test_an_encoder_gives_no_logits() -> None:
    with pytest.raises(ModelError, match="gives no logits"):
        open_encoder("logits+http://h/a#m")
