"""What servers say when they cannot answer: recorded bodies of each form, and the one code that each is."""

import json
from datetime import UTC, datetime

import pytest

from domain.inference import RefusalCode
from gpu.inference.failures import Failure, failure_in, failure_of, retry_after, scrubbed, without_quotation

FUNCTION = "3b0c5d2e-1111-4222-8333-944455556666"

YES, NO = True, False


def flat(message: str, kind: str, code: int) -> str:
    return json.dumps({"object": "error", "message": message, "type": kind, "param": None, "code": code})


def nested(message: str, kind: str, code: int | None) -> str:
    return json.dumps({"error": {"code": code, "message": message, "type": kind}})


def problem(status: int, title: str, **more: str) -> str:
    return json.dumps({"status": status, "title": title, **more})


def plain(message: str) -> str:
    return json.dumps({"error": message})


BUSY = "ResourceExhausted: All workers are busy, please retry later"
INPUT = [{"loc": ["body"], "msg": "field required", "input": "a private message"}]

BODIES: list[tuple[str, int, str, RefusalCode, bool]] = [
    ("llama loads", 503, nested("Loading model", "unavailable_error", 503), RefusalCode.OVERLOADED, YES),
    (
        "llama context", 400,
        nested("the request exceeds the available context size", "exceed_context_size_error", 400),
        RefusalCode.CONTEXT_TOO_LONG, NO,
    ),
    (
        "llama grammar", 400, nested("Failed to parse grammar", "invalid_request_error", 400),
        RefusalCode.INVALID_REQUEST, NO,
    ),
    ("Ollama model", 404, plain("model 'qwen' not found, try pulling it first"), RefusalCode.MODEL_NOT_FOUND, NO),
    (
        "Ollama busy", 503, plain("server busy, please try again.  maximum pending requests exceeded"),
        RefusalCode.OVERLOADED, YES,
    ),
    ("Ollama runner", 500, plain("llama runner process has terminated"), RefusalCode.UNKNOWN, YES),
    ("Ollama memory", 500, plain("CUDA error: out of memory"), RefusalCode.ENGINE_DEAD, YES),
    ("Ollama /v1", 404, nested('model "x" not found', "not_found_error", None), RefusalCode.MODEL_NOT_FOUND, NO),
    (
        "vLLM context", 400, nested("This model's maximum context length is 4096 tokens.", "BadRequestError", 400),
        RefusalCode.CONTEXT_TOO_LONG, NO,
    ),
    (
        "vLLM dead", 500, flat("EngineDeadError encountered", "InternalServerError", 500),
        RefusalCode.ENGINE_DEAD, YES,
    ),
    (
        "vLLM model", 404, flat("The model `x` does not exist.", "NotFoundError", 404),
        RefusalCode.MODEL_NOT_FOUND, NO,
    ),
    (
        "SGLang request", 400, flat("temperature must be non-negative", "BadRequest", 400),
        RefusalCode.INVALID_REQUEST, NO,
    ),
    (
        "SGLang length", 400,
        flat("The input (9000 tokens) is longer than the model's context length (8192).", "BadRequestError", 400),
        RefusalCode.CONTEXT_TOO_LONG, NO,
    ),
    ("NVIDIA limit", 429, problem(429, "Too Many Requests"), RefusalCode.RATE_LIMITED, YES),
    (
        "NVIDIA model", 404,
        problem(404, "Not Found", detail=f"Function '{FUNCTION}': Not found for account 'a'"),
        RefusalCode.MODEL_NOT_FOUND, NO,
    ),
    (
        "NVIDIA workers", 503, json.dumps({"message": BUSY, "type": "Service Unavailable", "code": 503}),
        RefusalCode.OVERLOADED, YES,
    ),
    ("NVIDIA retired", 410, problem(410, "Gone"), RefusalCode.MODEL_NOT_FOUND, NO),
    ("NVIDIA key", 401, problem(401, "Unauthorized"), RefusalCode.UNAUTHORIZED, NO),
    ("NVIDIA entitlement", 403, problem(403, "Forbidden"), RefusalCode.UNAUTHORIZED, NO),
    ("wrong address", 404, "404 page not found", RefusalCode.INVALID_REQUEST, NO),
    ("proxy", 502, "<html><h1>502 Bad Gateway</h1></html>", RefusalCode.UNREACHABLE, YES),
    ("proxy waits", 504, "upstream request timeout", RefusalCode.TIMED_OUT, YES),
    ("empty", 500, "", RefusalCode.UNKNOWN, YES),
    ("FastAPI", 422, json.dumps({"detail": INPUT}), RefusalCode.INVALID_REQUEST, NO),
    ("moved", 302, "", RefusalCode.UNKNOWN, YES),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable"), [each[1:] for each in BODIES], ids=[each[0] for each in BODIES]
)
def test_each_body_is_one_code(status: int, body: str, code: RefusalCode, retryable: bool) -> None:  # noqa: FBT001 -- a parameter.
    failure = failure_of(status, body)
    assert (failure.code, failure.retryable, failure.status) == (code, retryable, status)
    assert "a private message" not in failure.reason()
    assert FUNCTION not in failure.reason()


MIDDLES = [
    ({"error": {"message": "boom", "code": 500}}, RefusalCode.UNKNOWN),
    ({"error": {"message": "slow down", "type": "rate_limit_exceeded"}}, RefusalCode.RATE_LIMITED),
    ({"error": "an error was encountered while running the model: CUDA error"}, RefusalCode.ENGINE_DEAD),
    ({"error": "server busy"}, RefusalCode.OVERLOADED),
    ({"object": "error", "message": "EngineDeadError", "code": 500}, RefusalCode.ENGINE_DEAD),
    ({"status": 503, "title": "Service Unavailable"}, RefusalCode.OVERLOADED),
]


@pytest.mark.parametrize(("body", "code"), MIDDLES)
def test_an_error_within_an_answer_has_its_own_status_or_none(body: object, code: RefusalCode) -> None:
    assert failure_in(body, None).code is code


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), ("-3", 0.0), ("nan", 0.0), ("999999", 3600.0), ("soon", None), ("", None),
        ("Sat, 21 Nov 2026 17:00:30 GMT", 30.0), ("Sat, 21 Nov 2026 16:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_told_in_seconds_or_as_a_date(given: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 21, 17, tzinfo=UTC)
    assert retry_after({"retry-after": given}, now) == seconds


def test_what_a_provider_says_is_short_and_names_no_key_address_or_path() -> None:
    said = (
        "Incorrect API key provided: sk-abcdef123456. See https://example.com/keys or /srv/models/secret.gguf"
        f" at 10.1.2.3:8000 for Function {FUNCTION}" + " and so on" * 50
    )
    clean = scrubbed(said)
    assert len(clean) <= 160
    assert clean.startswith("Incorrect API key provided: … See … or … at … for Function …")


def test_what_no_database_stores_is_not_handed_on() -> None:
    failure = failure_of(400, '{"error": {"message": "bad\\u0000 value \\ud800 at\\u202e line 3"}}')
    assert failure.reason() == "it refuses the request (HTTP 400): bad value at line 3"


def test_words_that_quote_the_request_or_the_key_are_left_out() -> None:
    prompt = "Ananya Rao would pay 42 million for the villa by the lake."
    failure = Failure(RefusalCode.INVALID_REQUEST, 400, detail="bad value: 'Ananya Rao would pay 42 million'")
    assert without_quotation(failure, [prompt], None).reason() == "it refuses the request (HTTP 400)"
    keyed = Failure(RefusalCode.UNAUTHORIZED, 401, detail="key topsecret is wrong")
    assert without_quotation(keyed, [], "topsecret").detail == ""
    cut = Failure(RefusalCode.UNAUTHORIZED, 401, detail="You sent the key topsecret-an…")
    assert without_quotation(cut, [], "topsecret-and-long").detail == ""
    plain = Failure(RefusalCode.INVALID_REQUEST, 400, detail="temperature must be positive")
    assert without_quotation(plain, [prompt], "topsecret") is plain
