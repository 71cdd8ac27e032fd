"""What the server takes and gives, as an OpenAPI document."""

from __future__ import annotations

from rerank_cli import __version__
from rerank_cli.config import HELP, KINDS
from rerank_cli.json_records import Record
from rerank_cli.library import SearchOptions
from rerank_cli.serve.asked import MOST_QUERY_LETTERS, MOST_TEXT_LETTERS, MOST_TEXTS

TEXT: Record = {"type": "string"}
NUMBER: Record = {"type": "number"}
NUMBER_IF_ANY: Record = {"type": ["number", "null"]}
WHOLE: Record = {"type": "integer"}
OBJECT: Record = {"type": "object"}
SWITCH: Record = {"type": "boolean"}
SEVERAL: Record = {"oneOf": [TEXT, {"type": "array", "items": TEXT}]}

FILTERS = {
    "paths": "Globs of files to search, within the documents.",
    "not_paths": "Globs of files to leave out.",
    "extensions": "Endings of files to search, such as pdf.",
    "where": "Fields of documents, such as tag=hive or status!=draft.",
}

ERRORS = {
    "400": "The request cannot be meant.",
    "401": "The token is missing or wrong.",
    "408": "The body was too slow.",
    "413": "The body is too large.",
    "415": "The body is not said to be JSON.",
    "429": "Too many requests wait; Retry-After says when to ask again.",
    "500": "A model failed, or a bug.",
    "503": "The index cannot be used now, or the server is stopping.",
}


def describe() -> Record:
    """The document."""
    query: Record = {**TEXT, "maxLength": MOST_QUERY_LETTERS}
    texts = {"type": "array", "maxItems": MOST_TEXTS, "items": {**TEXT, "maxLength": MOST_TEXT_LETTERS}}
    rerank: Record = {"query": query, "texts": texts, "top_n": WHOLE, "budget": _setting("budget")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "rerank-cli", "version": __version__},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": _object({"error": TEXT, "remedy": TEXT}),
                "Search": _object({"query": query, "query_id": TEXT, **_search_options()}, needed=["query"]),
                "Rerank": _object(rerank, needed=["query", "texts"]),
                "Found": _found(),
                "Ranked": _ranked(),
            },
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/search": _posted("Both stages for a query, as query --format jsonl prints them.", "Search", "Found"),
            "/rerank": _posted("Texts in the order of how well they answer a query.", "Rerank", "Ranked"),
            "/status": _asked("What is searched, by which models, and how.", "application/json"),
            "/metrics": _asked("Figures for Prometheus.", "text/plain"),
            "/health": _asked("Whether requests are taken; no token is needed.", "application/json"),
            "/openapi.json": _asked("This document.", "application/json"),
        },
    }


def _search_options() -> Record:
    filters = {key: {**SEVERAL, "description": meaning} for key, meaning in FILTERS.items()}
    dates: Record = {"oneOf": [TEXT, WHOLE], "description": "A date such as 2026-01-31, or how long ago, such as 30d."}
    return {**{key: _setting(key) for key in SearchOptions.__annotations__}, **filters, "since": dates, "until": dates}


def _setting(key: str) -> Record:
    kind = KINDS[key]
    types: dict[str, Record] = {"<int>": WHOLE, "<float>": NUMBER, "<time>": {"oneOf": [NUMBER, TEXT]}}
    base, *_ = kind.stands_for.split("|")
    shape = SWITCH if kind.form == "switch" else types.get(base, TEXT)
    words: Record = {"enum": list(kind.words)}
    if kind.words:
        shape = {**TEXT, **words} if kind.form == "choice" else {"oneOf": [shape, words]}
    return {**shape, "description": f"{HELP[key].removesuffix('.')} ({kind.allowed})."}


def _found() -> Record:
    hit = _object(
        {
            "rank": WHOLE,
            "document": TEXT,
            "path": TEXT,
            "place": OBJECT,
            "headings": {"type": "array", "items": TEXT},
            "text": TEXT,
            "score": NUMBER_IF_ANY,
            "order_score": NUMBER,
        }
    )
    hits = {"type": "array", "items": hit}
    return _object({"query_id": TEXT, "query": TEXT, "reranked": WHOLE, "partial": SWITCH, "hits": hits})


def _ranked() -> Record:
    one = _object({"index": WHOLE, "score": NUMBER_IF_ANY, "logit": NUMBER_IF_ANY})
    ranked = {"type": "array", "items": one}
    return _object({"query": TEXT, "texts": WHOLE, "reranked": WHOLE, "partial": SWITCH, "ranked": ranked})


def _object(properties: Record, *, needed: list[str] | None = None) -> Record:
    return {**OBJECT, "properties": properties, "required": needed if needed is not None else [*properties]}


def _schema(name: str) -> Record:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _posted(meaning: str, body: str, answer: str) -> Record:
    errors = {code: {"description": told, "content": _schema("Error")} for code, told in ERRORS.items()}
    answers = {"200": {"description": "The answer.", "content": _schema(answer)}, **errors}
    return {
        "post": {
            "summary": meaning,
            "requestBody": {"required": True, "content": _schema(body)},
            "responses": answers,
        }
    }


def _asked(meaning: str, kind: str) -> Record:
    return {"get": {"summary": meaning, "responses": {"200": {"description": meaning, "content": {kind: {}}}}}}
