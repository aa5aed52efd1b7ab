"""Uploads and assets on a real socket, over both stores: what goes in, what comes out, and what is refused."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, TypeAlias
from uuid import UUID

import httpx
import pytest
from asyncpg import Connection, Record
from PIL import Image

from app.demo.pictures import picture_book
from app.demo.pictures import store as store_pictures
from app.outside.s3 import S3Store
from app.wiring import System
from domain.access import Role
from domain.assets import ObjectStore, sweep
from domain.signing import ASSET_SIGNATURE
from tests.api import Answer, Api
from tests.demo import Demo
from tests.factories import assets, properties
from tests.factories.access import Tenant
from tests.factories.assets import GPS_INFO, picture, telling_exif
from tests.serving import serving

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
PHOTO = picture(size=(400, 300), exif=telling_exif(orientation=6))
DOCUMENT = b"%PDF-1.7\n" + b"brochure " * 200 + b"\n%%EOF\n"
PDF = {"purpose": "PROPERTY_MEDIA", "contentType": "application/pdf"}


ON_DISK = pytest.mark.parametrize("store", ["disk"], indirect=True)
"""For what no store has a part in."""


@dataclass(slots=True)
class Client:
    """A tenant's users, a socket, and the store behind it."""

    api: Api
    http: httpx.AsyncClient
    objects: ObjectStore

    async def announced(self, role: Role = JUNIOR, **given: Any) -> Answer:
        """Announce an upload: an avatar of the photo's size unless told otherwise."""
        values = {"purpose": "AVATAR", "contentType": "image/jpeg", "bytes": len(PHOTO), **given}
        answer = (await self.api.data("UploadCreate", role=role, **values))["uploadCreate"]
        upload: Answer = answer["upload"]
        return upload

    async def put(self, upload: Answer, content: bytes, **headers: str) -> httpx.Response:
        """Send bytes where an upload says, with the headers that it asks for."""
        asked = {each["name"]: each["value"] for each in upload["headers"]}
        return await self.http.put(upload["url"], content=content, headers=asked | headers)

    async def stored(self, role: Role = JUNIOR, content: bytes = PHOTO, **given: Any) -> Answer:
        """Announce an upload and send it."""
        upload = await self.announced(role, bytes=len(content), **given)
        answer = await self.put(upload, content)
        assert answer.status_code == 200, answer.text
        return upload

    def key(self, upload: Answer, extension: str = "jpg") -> str:
        """The object key of an upload."""
        return f"uploads/{self.api.tenant.id}/{upload['id'].removeprefix('upload_')}.{extension}"


@pytest.fixture
async def client(system: System, tenant: Tenant, store: ObjectStore) -> AsyncIterator[Client]:
    other = replace(system, uploads=replace(system.uploads, objects=store))
    async with serving(other) as http:
        yield Client(Api(other, tenant), http, store)


def refused(answer: httpx.Response) -> tuple[int, str, str | None, str]:
    """The status, code, field and message of a refusal; fails for anything else."""
    [error] = answer.json()["errors"]
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, error["extensions"]["code"], error["extensions"].get("field"), error["message"]


async def state(owner: Owner, client: Client) -> list[tuple[Any, ...]]:
    rows = await owner.fetch(
        "SELECT state, digest IS NULL, stored_bytes FROM uploads WHERE tenant_id = $1 ORDER BY id", client.api.tenant.id
    )
    return [tuple(row) for row in rows]


async def test_an_avatar_from_its_announcement_to_its_address(client: Client, owner_connection: Owner) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    upload = await client.announced()
    assert upload["headers"] == [{"name": "content-type", "value": "image/jpeg"}]
    expires = datetime.fromisoformat(upload["expiresAt"])
    assert before <= expires - timedelta(hours=1) <= datetime.now(UTC)

    sent = await client.put(upload, PHOTO)
    [(stored, unclaimed, size)] = await state(owner_connection, client)
    assert (stored, unclaimed) == ("STORED", False)
    assert (sent.status_code, sent.json()) == (200, {"upload": {
        "id": upload["id"], "contentType": "image/jpeg", "bytes": size, "width": 300, "height": 400,
    }})  # fmt: skip
    set_ = await client.api.data("ViewerAvatarSet", role=JUNIOR, uploadId=upload["id"])
    url = set_["viewerAvatarSet"]["viewer"]["avatarUrl"]
    assert re.match(rf"/assets/uploads/{client.api.tenant.id}/[0-9a-f-]{{36}}\.jpg\?expires=\d+&signature=", url)

    got = await client.http.get(url)
    assert (got.status_code, len(got.content)) == (200, size)
    image = Image.open(BytesIO(got.content))
    assert (image.format, image.size, dict(image.getexif()), image.getexif().get_ifd(GPS_INFO)) == (
        "JPEG", (300, 400), {}, {}
    )  # fmt: skip
    assert b"Asha Rao" not in got.content
    assert {name: got.headers[name] for name in ("content-type", "x-content-type-options", "content-disposition")} == {
        "content-type": "image/jpeg", "x-content-type-options": "nosniff",
        "content-disposition": f'inline; filename="{upload["id"].removeprefix("upload_")}.jpg"',
    }  # fmt: skip
    assert "sandbox" in got.headers["content-security-policy"]
    kept = re.fullmatch(r"private, max-age=(\d+), immutable", got.headers["cache-control"])
    assert kept is not None
    assert 3600 <= int(kept[1]) <= 7200
    audit = await owner_connection.fetchrow(
        "SELECT action, subject_noun, subject_id, changed_fields FROM audit_entries WHERE tenant_id = $1",
        client.api.tenant.id,
    )
    assert tuple(audit or ()) == ("UPDATE", "users", client.api.tenant.users[JUNIOR], ["avatarUrl"])


async def test_the_same_bytes_again_are_the_same_and_others_are_refused(client: Client) -> None:
    upload = await client.announced()
    other = PHOTO[:-1] + bytes([PHOTO[-1] ^ 1])
    first, again, refusal = [await client.put(upload, content) for content in (PHOTO, PHOTO, other)]
    assert (again.status_code, again.json()) == (200, first.json())
    assert refused(refusal) == (
        409, "CONFLICT", None, "Something else was uploaded here before. Create another upload."
    )  # fmt: skip
    await client.api.data("ViewerAvatarSet", role=JUNIOR, uploadId=upload["id"])
    assert (await client.put(upload, PHOTO)).status_code == 200


async def test_of_two_that_come_at_once_one_is_kept(client: Client, owner_connection: Owner) -> None:
    photos = [picture(size=(400, 300), comment=bytes([65 + number])) for number in range(4)]
    upload = await client.announced(bytes=len(photos[0]))
    answers = await asyncio.gather(*(client.put(upload, photo) for photo in photos))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    winner = photos[[answer.status_code for answer in answers].index(200)]
    digest = await owner_connection.fetchval("SELECT digest FROM uploads WHERE tenant_id = $1", client.api.tenant.id)
    assert digest == hashlib.sha256(winner).digest()


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """Content in pieces, so that nobody is told its length."""
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


SHORT = f"{len(PHOTO)} bytes were announced, and {len(PHOTO) - 1} came."


@pytest.mark.parametrize("told", [True, False], ids=["told", "in pieces"])
@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (PHOTO[:-1], (400, "INVALID", "bytes", SHORT)),
        (PHOTO + b"x", (413, "INVALID", "bytes", f"{len(PHOTO)} bytes were announced.")),
        (b"<svg/>".ljust(len(PHOTO)), (422, "INVALID", None, "The content is no JPEG picture, or it is damaged.")),
    ],
    ids=["fewer", "more", "another type"],
)
async def test_what_was_not_announced_is_not_kept(
    client: Client, owner_connection: Owner, content: bytes, refusal: tuple[Any, ...], *, told: bool
) -> None:
    upload = await client.announced()
    body: Any = content if told else pieces(content)
    answer = await client.http.put(upload["url"], content=body, headers={"content-type": "image/jpeg"})
    assert refused(answer) == refusal
    assert await state(owner_connection, client) == [("ANNOUNCED", True, None)]
    assert await client.objects.size(client.key(upload)) is None
    # Nothing was spent: the right bytes may still come.
    assert (await client.put(upload, PHOTO)).status_code == 200


@ON_DISK
async def test_a_body_is_read_no_further_than_was_announced(client: Client) -> None:
    upload, taken = await client.announced(), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 65_536
            yield b"x" * 65_536

    try:
        answer = await client.http.put(upload["url"], content=endless(), headers={"content-type": "image/jpeg"})
        assert answer.status_code == 413
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        # The server hung up while the client was still sending.
        assert taken > len(PHOTO)
    assert await client.objects.size(client.key(upload)) is None


@ON_DISK
async def test_a_wrong_address_is_refused_before_anything_is_looked_up(
    client: Client, owner_connection: Owner, other_tenant: Tenant
) -> None:
    upload, second = await client.announced(), await client.announced()
    url = upload["url"]
    tenant = str(client.api.tenant.id)
    expires = re.search(r"expires=(\d+)", url)
    assert expires is not None
    asset = f"/assets/PUT%0A{tenant}/{upload['id'].removeprefix('upload_')}?{url.partition('?')[2]}"
    wrong = (403, "NOT_ALLOWED", None, "The address was not made here, or it has been changed.")
    for address in (
        url.partition("?")[0],
        url.replace("signature=", "signature=0"),
        url.replace(expires[1], str(int(expires[1]) + 1)),
        url.replace(tenant, str(other_tenant.id)),
        url.replace(upload["id"].removeprefix("upload_"), second["id"].removeprefix("upload_")),
        url.replace(tenant, "x"),
    ):
        answer = await client.http.put(address, content=PHOTO, headers={"content-type": "image/jpeg"})
        assert refused(answer) == wrong, address
    assert (await client.http.get(asset)).status_code == 404
    assert (await client.http.get(url)).status_code == 405
    mistyped = await client.put(upload, PHOTO, **{"content-type": "image/png"})
    assert refused(mistyped) == (415, "INVALID", "contentType", "image/jpeg was announced.")
    assert await state(owner_connection, client) == [("ANNOUNCED", True, None)] * 2


@ON_DISK
async def test_an_expired_address_takes_nothing(client: Client, owner_connection: Owner) -> None:
    upload = await client.announced()
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    tenant_id = client.api.tenant.id
    await owner_connection.execute("UPDATE uploads SET expires_at = $1 WHERE tenant_id = $2", past, tenant_id)
    again = await client.api.data("query($id: ID!) { node(id: $id) { ... on Upload { url } } }", role=JUNIOR,
                                  id=upload["id"])  # fmt: skip
    assert refused(await client.put(upload | again["node"], PHOTO)) == (
        410, "CONFLICT", None, "The upload has expired. Create another."
    )  # fmt: skip
    assert await client.objects.size(client.key(upload)) is None


async def announce(client: Client, role: Role, **given: Any) -> tuple[str, str | None, str]:
    answer = (await client.api.data("UploadCreate", role=role, **given))["uploadCreate"]
    return answer["code"], answer["field"], answer["message"]


@ON_DISK
async def test_what_may_not_be_sent_is_not_announced(client: Client, owner_connection: Owner) -> None:
    jpeg = {"contentType": "image/jpeg", "bytes": 10}
    assert await announce(client, JUNIOR, purpose="PROPERTY_MEDIA", **jpeg) == (
        "NOT_ALLOWED", "purpose", "Your role, JUNIOR_BROKER, lacks PROPERTY_WRITE."
    )  # fmt: skip
    assert await announce(client, JUNIOR, purpose="AVATAR", contentType="image/svg+xml", bytes=10) == (
        "INVALID", "contentType", "AVATAR takes image/jpeg, image/png, image/webp."
    )  # fmt: skip
    assert await announce(client, JUNIOR, purpose="SCENE_MAP", **jpeg) == (
        "INVALID", "contentType", "SCENE_MAP takes text/csv."
    )  # fmt: skip
    assert await announce(client, JUNIOR, purpose="AVATAR", contentType="image/png", bytes=5_000_001) == (
        "INVALID", "bytes", "AVATAR takes at most 5000000 bytes."
    )  # fmt: skip
    assert await announce(client, JUNIOR, purpose="AVATAR", contentType="image/png", bytes=0) == (
        "INVALID", "bytes", "A file has at least one byte."
    )  # fmt: skip
    assert await state(owner_connection, client) == []
    for _ in range(50):
        await client.announced()
    assert await announce(client, JUNIOR, purpose="AVATAR", **jpeg) == (
        "CONFLICT", None, "Too many uploads are open. Use them, or wait until they expire."
    )  # fmt: skip
    assert (await client.announced(SENIOR))["url"]


@ON_DISK
async def test_an_upload_is_used_once_by_whoever_sent_it(
    client: Client, owner_connection: Owner, tenant: Tenant, other_tenant: Tenant
) -> None:
    async def used(upload: Answer, role: Role = JUNIOR, api: Api | None = None) -> tuple[str, str, str]:
        answer = await (api or client.api).data("ViewerAvatarSet", role=role, uploadId=upload["id"])
        problem = answer["viewerAvatarSet"]
        return problem["code"], problem["field"], problem["message"]

    upload, empty, map_ = await client.stored(), await client.announced(), await client.announced(
        purpose="SCENE_MAP", contentType="text/csv", bytes=10
    )  # fmt: skip
    missing = ("NOT_FOUND", "uploadId", "There is no such record.")
    assert await used(upload, SENIOR) == missing
    assert await used(upload, api=Api(client.api.system, other_tenant)) == missing
    assert await used(empty) == ("CONFLICT", "uploadId", "The bytes of this upload have not arrived yet.")
    assert await used(map_) == ("INVALID", "uploadId", "This upload is for SCENE_MAP, not for AVATAR.")
    await client.api.data("ViewerAvatarSet", role=JUNIOR, uploadId=upload["id"])
    assert await used(upload) == ("CONFLICT", "uploadId", "The upload was used already. Create another.")
    late = await client.stored()
    await owner_connection.execute("UPDATE uploads SET expires_at = now() WHERE id = $1", UUID(late["id"][7:]))
    assert await used(late) == ("CONFLICT", "uploadId", "The upload has expired. Create another.")


async def test_media_are_added_and_removed(client: Client, owner_connection: Owner, tenant: Tenant) -> None:
    flat = f"property_{await properties.property_(owner_connection, tenant)}"
    await properties.medium(owner_connection, tenant, property_id=UUID(flat[9:]), order=3)

    async def added(upload: Answer, **given: Any) -> Answer:
        values = {"propertyId": flat, "uploadId": upload["id"], "category": "PHOTO", "order": None, **given}
        answer: Answer = (await client.api.data("PropertyMediaAdd", role=SENIOR, **values))["propertyMediaAdd"]
        return answer

    photo = await client.stored(SENIOR, purpose="PROPERTY_MEDIA")
    plan = await client.stored(SENIOR, DOCUMENT, **PDF)
    wrong = await added(plan, category="VIDEO")
    last, first = (await added(photo))["media"], (await added(plan, category="FLOOR_PLAN", order=0))["media"]

    assert (wrong["code"], wrong["field"], wrong["message"]) == (
        "INVALID", "category", "A file of type application/pdf is no VIDEO."
    )  # fmt: skip
    assert (last["category"], last["order"], first["order"]) == ("PHOTO", 4, 0)
    listed = (await client.api.data("Property", id=flat))["property"]["media"]["edges"]
    shown = [edge["node"] for edge in listed]
    assert [(each["category"], each["width"], each["height"]) for each in shown] == [
        ("FLOOR_PLAN", None, None), ("PHOTO", 4, 3), ("PHOTO", 300, 400)
    ]  # fmt: skip
    got = await client.http.get(first["url"])
    assert (got.content, got.headers["content-type"]) == (DOCUMENT, "application/pdf")
    assert got.headers["content-disposition"].startswith("attachment; ")

    removed = await client.api.data("PropertyMediaRemove", role=SENIOR, mediaId=last["id"])
    again = await client.api.data("PropertyMediaRemove", role=SENIOR, mediaId=last["id"])
    assert removed["propertyMediaRemove"] == {
        "__typename": "PropertyMediaRemovePayload", "removedId": last["id"], "property": {"id": flat}
    }  # fmt: skip
    assert again["propertyMediaRemove"]["code"] == "NOT_FOUND"
    assert await sweep(client.api.system.uploads, datetime.now(UTC) + timedelta(minutes=6)) >= 1
    assert (await client.http.get(last["url"])).status_code == 404
    assert (await client.http.get(first["url"])).status_code == 200
    events = await owner_connection.fetch("SELECT kind FROM events WHERE tenant_id = $1 ORDER BY sequence", tenant.id)
    assert [row[0] for row in events] == ["PropertyMediaAdded", "PropertyMediaAdded", "PropertyMediaRemoved"]


@ON_DISK
async def test_an_archived_property_takes_no_media(client: Client, owner_connection: Owner, tenant: Tenant) -> None:
    flat = await properties.property_(owner_connection, tenant, archived_at=datetime.now(UTC))
    upload = await client.stored(SENIOR, DOCUMENT, **PDF)
    answer = await client.api.data(
        "PropertyMediaAdd", role=SENIOR, propertyId=f"property_{flat}", uploadId=upload["id"], category="DOCUMENT"
    )
    assert answer["propertyMediaAdd"]["message"] == "An archived property does not change any more."
    # The refusal undid the consumption, too.
    assert await state(owner_connection, client) == [("STORED", False, len(DOCUMENT))]


async def document_url(client: Client, owner: Owner) -> str:
    """The address of a stored document of a property."""
    flat = await properties.property_(owner, client.api.tenant)
    upload = await client.stored(SENIOR, DOCUMENT, **PDF)
    answer = await client.api.data(
        "PropertyMediaAdd", role=SENIOR, propertyId=f"property_{flat}", uploadId=upload["id"], category="DOCUMENT"
    )
    url: str = answer["propertyMediaAdd"]["media"]["url"]
    return url


async def test_parts_and_what_a_client_has_already(client: Client, owner_connection: Owner) -> None:
    url, size = await document_url(client, owner_connection), len(DOCUMENT)
    whole = await client.http.get(url)
    tag = whole.headers["etag"]
    assert (whole.content, whole.headers["accept-ranges"]) == (DOCUMENT, "bytes")

    for asked, first, last in (
        ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=1800-", 1800, size - 1), ("bytes=-5", size - 5, size - 1),
        ("bytes=5-99999", 5, size - 1), ("bytes=-99999", 0, size - 1),
    ):  # fmt: skip
        part = await client.http.get(url, headers={"range": asked})
        assert (part.status_code, part.content) == (206, DOCUMENT[first : last + 1]), asked
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert (part.headers["content-length"], part.headers["etag"]) == (str(last - first + 1), tag)
    for asked in (f"bytes={size}-", "bytes=-0"):
        nothing = await client.http.get(url, headers={"range": asked})
        assert (nothing.status_code, nothing.headers["content-range"]) == (416, f"bytes */{size}"), asked
    for asked in ("bytes=0-1,3-4", "bytes=9-5", "bytes=-", "lines=0-1", "bytes=a-b"):
        ignored = await client.http.get(url, headers={"range": asked})
        assert (ignored.status_code, ignored.content) == (200, DOCUMENT), asked

    current = await client.http.get(url, headers={"range": "bytes=0-1", "if-range": tag})
    changed = await client.http.get(url, headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (current.status_code, changed.status_code, changed.content) == (206, 200, DOCUMENT)
    for known in (tag, f'"x", W/{tag}', "*"):
        same = await client.http.get(url, headers={"if-none-match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await client.http.get(url, headers={"if-none-match": '"x"'})).status_code == 200
    head = await client.http.head(url, headers={"range": "bytes=0-1"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))


@ON_DISK
async def test_an_address_is_good_for_one_file_until_it_expires(client: Client, owner_connection: Owner) -> None:
    url = await document_url(client, owner_connection)
    key = url.removeprefix("/assets/").partition("?")[0]
    signing = client.api.system.uploads.key

    def signed(object_key: str, moment: int, path: str | None = None) -> str:
        signature = signing.sign(f"{object_key}\n{moment}".encode(), ASSET_SIGNATURE).hex()
        return f"/assets/{path or object_key}?expires={moment}&signature={signature}"

    now = int(datetime.now(UTC).timestamp())
    assert (await client.http.get(signed(key, now + 60))).status_code == 200
    for address in (
        signed(key, now),
        url.replace("signature=", "signature=00"),
        url.replace(".pdf", ".png"),
        url.partition("&")[0],
        signed("missing.pdf", now + 60),
        # Well signed, and no keys: nobody gets to make these, and they lead nowhere.
        signed("../signing.key", now + 60, "%2e%2e/signing.key"),
        signed("/etc/passwd", now + 60, "%2fetc/passwd"),
        signed("a/../../signing.key", now + 60, "a/%2e%2e/%2e%2e/signing.key"),
    ):
        answer = await client.http.get(address)
        assert refused(answer) == (404, "NOT_FOUND", None, "There is no such record."), address
        assert answer.headers["cache-control"] == "no-store"


async def test_the_sweep_removes_what_nobody_used(client: Client, owner_connection: Owner, tenant: Tenant) -> None:
    used, orphan, empty, fresh = [
        await client.stored(), await client.stored(), await client.announced(), await client.stored()
    ]  # fmt: skip
    await client.api.data("ViewerAvatarSet", role=JUNIOR, uploadId=used["id"])
    now = datetime.now(UTC).replace(microsecond=0)
    for upload, seconds in ((used, 301), (orphan, 301), (empty, 301), (fresh, 299)):
        await owner_connection.execute(
            "UPDATE uploads SET expires_at = $1 WHERE id = $2", now - timedelta(seconds=seconds), UUID(upload["id"][7:])
        )
    ports = client.api.system.uploads

    removed = await sweep(ports, now)

    assert removed >= 2
    left = await owner_connection.fetch("SELECT id FROM uploads WHERE tenant_id = $1 ORDER BY id", tenant.id)
    assert {f"upload_{row['id']}" for row in left} == {used["id"], fresh["id"]}
    sizes = [await client.objects.size(client.key(upload)) for upload in (used, orphan, empty, fresh)]
    assert [size is not None for size in sizes] == [True, False, False, True]
    assert refused(await client.put(empty, PHOTO))[:2] == (404, "NOT_FOUND")
    assert await sweep(ports, now) == 0


async def test_a_new_avatar_lets_the_one_before_it_go(client: Client) -> None:
    uploads = [await client.stored() for _ in range(2)]
    for upload in uploads:
        await client.api.data("ViewerAvatarSet", role=JUNIOR, uploadId=upload["id"])
    await sweep(client.api.system.uploads, datetime.now(UTC) + timedelta(minutes=6))
    sizes = [await client.objects.size(client.key(upload)) for upload in uploads]
    assert [size is not None for size in sizes] == [False, True]


async def test_a_store_that_is_not_configured_is_said_before_anything_is_announced(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    nowhere = replace(system.uploads, objects=S3Store(None, endpoint=None, region=None))
    other = replace(system, uploads=nowhere)
    answer = await Api(other, tenant).data("UploadCreate", purpose="AVATAR", contentType="image/png", bytes=10)
    message = "The asset store is s3, and VELOCITY_ASSET_BUCKET names no bucket."
    assert (answer["uploadCreate"]["__typename"], answer["uploadCreate"]["message"]) == ("UnavailableProblem", message)
    upload = await Api(system, tenant).data(
        "UploadCreate", purpose="AVATAR", contentType="image/jpeg", bytes=len(PHOTO)
    )
    async with serving(other) as http:
        sent = await http.put(
            upload["uploadCreate"]["upload"]["url"], content=PHOTO, headers={"content-type": "image/jpeg"}
        )
        moment = int(datetime.now(UTC).timestamp()) + 60
        signature = system.uploads.key.sign(f"a.png\n{moment}".encode(), ASSET_SIGNATURE).hex()
        got = await http.get(f"/assets/a.png?expires={moment}&signature={signature}")
    assert refused(sent) == refused(got) == (503, "UNAVAILABLE", None, message)


async def test_the_demo_pictures_are_served(demo_tenant: Demo, http: httpx.AsyncClient) -> None:
    store_pictures(demo_tenant.api.system.settings.assets, picture_book().all())
    variables = await demo_tenant.ids(id="pictured")
    data = await demo_tenant.api.data("Property", caller=demo_tenant.caller(JUNIOR), **variables)
    shown = [edge["node"] for edge in data["property"]["media"]["edges"]]
    assert shown
    for each in shown:
        got = await http.get(each["url"])
        assert (got.status_code, got.headers["content-type"]) == (200, "image/png")
        assert Image.open(BytesIO(got.content)).size == (each["width"], each["height"])


async def test_an_announcement_sent_again_is_one_upload(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    given = {"purpose": "AVATAR", "contentType": "image/png", "bytes": 10, "idempotencyKey": "one"}
    first, again = [(await api.data("UploadCreate", **given))["uploadCreate"] for _ in range(2)]
    assert first == again
    assert await owner_connection.fetchval("SELECT count(*) FROM uploads WHERE tenant_id = $1", tenant.id) == 1


async def test_an_upload_is_seen_by_whoever_announced_it(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    upload = await assets.upload(owner_connection, tenant, user_id=tenant.users[JUNIOR])
    document = "query($id: ID!) { node(id: $id) { ... on Upload { purpose state bytes contentType } } }"
    seen = {role: (await api.data(document, role=role, id=f"upload_{upload}"))["node"] for role in Role}
    assert seen.pop(JUNIOR) == {"purpose": "AVATAR", "state": "STORED", "bytes": 10, "contentType": "image/png"}
    assert set(seen.values()) == {None}
