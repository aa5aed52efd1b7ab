"""Access tokens: what they say, who may have signed them, and how their keys change."""

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access.secrets import kept
from app.access.tokens import JwtTokens, WeakKey, rotate, signing_keys
from domain.access import Caller, Claims, Role, TokenInvalid
from domain.values import new_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLER = Caller(new_id(), new_id(), Role.SENIOR_BROKER, ())
OLD, NEW, FOREIGN = "old" * 12, "new" * 12, "foreign" * 6


def part(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def read(encoded: str) -> dict[str, object]:
    read: dict[str, object] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return read


def signed(*keys: str) -> str:
    return JwtTokens(keys).sign(CALLER, SESSION, NOW, timedelta(minutes=10))


SESSION = new_id()


def test_a_token_says_who_bears_it_and_until_when() -> None:
    token = signed(NEW)
    header, claims, _ = token.split(".")
    assert {**read(header), "kid": None} == {"alg": "HS256", "kid": None, "typ": "at+jwt"}
    assert {**read(claims), "jti": None} == {
        "sub": str(CALLER.user_id),
        "tid": str(CALLER.tenant_id),
        "sid": str(SESSION),
        "role": "SENIOR_BROKER",
        "iat": 1795176000,
        "exp": 1795176600,
        "jti": None,
    }
    assert JwtTokens((NEW,)).verify(token) == Claims(
        CALLER.tenant_id, CALLER.as_user(), SESSION, NOW + timedelta(minutes=10)
    )


def test_two_tokens_of_one_moment_differ() -> None:
    assert signed(NEW) != signed(NEW)


def test_a_token_of_the_key_before_is_good_and_one_of_a_foreign_key_is_not() -> None:
    both = JwtTokens((NEW, OLD))
    assert both.verify(signed(OLD)).session_id == SESSION
    assert both.verify(signed(NEW, OLD)).session_id == SESSION
    assert read(signed(NEW, OLD).split(".")[0])["kid"] == read(signed(NEW).split(".")[0])["kid"]
    with pytest.raises(TokenInvalid):
        both.verify(signed(FOREIGN))


@pytest.mark.parametrize("place", range(3))
def test_a_changed_token_is_refused(place: int) -> None:
    parts = signed(NEW).split(".")
    parts[place] = parts[place][:-2] + ("AA" if parts[place][-2:] != "AA" else "BB")
    with pytest.raises(TokenInvalid):
        JwtTokens((NEW,)).verify(".".join(parts))


def test_a_token_of_another_kind_or_algorithm_is_refused() -> None:
    header, claims, signature = signed(NEW).split(".")
    unsigned = part({**read(header), "alg": "none"})
    for token in (
        f"{unsigned}.{claims}.",
        f"{unsigned}.{claims}.{signature}",
        f"{part({**read(header), 'typ': 'JWT'})}.{claims}.{signature}",
        f"{header}.{claims}",
        "",
        "not a token",
        "\ud800",
        "é.é.é",
    ):
        with pytest.raises(TokenInvalid):
            JwtTokens((NEW,)).verify(token)


def test_a_rotation_signs_with_a_new_key_and_keeps_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    [first] = signing_keys(kept(path))
    token = signed(first)
    rotate(path)
    keys = signing_keys(path.read_text())
    assert len(keys) == 2
    assert keys[1] == first
    assert JwtTokens(keys).verify(token).session_id == SESSION
    rotate(path)
    assert signing_keys(path.read_text())[1] == keys[0]
    with pytest.raises(TokenInvalid):
        JwtTokens(signing_keys(path.read_text())).verify(token)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["signing.key"]


@pytest.mark.parametrize("text", ["", "  \n", "short", f"{NEW} short"])
def test_a_weak_key_is_refused(text: str) -> None:
    with pytest.raises(WeakKey, match="at least 32 characters"):
        signing_keys(text)
