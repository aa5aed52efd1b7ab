"""Videos through the schema and over HTTP: listed, played in parts, and given their scenes."""

from typing import Any, TypeAlias

import httpx
from asyncpg import Connection, Record

from app.demo.reels import HEIGHT, WIDTH, reels, webm
from domain.access import Role
from tests.api import Answer, Api
from tests.factories import assets, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER


async def mapped(api: Api, owner: Owner, tenant: Tenant, text: str, **given: Any) -> Answer:
    """Give a new video the scenes of a CSV."""
    content = text.encode()
    values: dict[str, Any] = {
        "purpose": "SCENE_MAP", "content_type": "text/csv", "stored_bytes": len(content), "bytes": len(content),
        "width": None, "height": None, **given,
    }  # fmt: skip
    upload_id = await assets.upload(owner, tenant, user_id=tenant.users[SENIOR], **values)
    await api.system.uploads.objects.put(f"uploads/{tenant.id}/{upload_id}.png", content, "text/csv")
    video_id = await perception.video(owner, tenant)
    await perception.scene(owner, tenant, video_id=video_id, start_ms=1, end_ms=2)
    data = await api.data("SceneMapUpload", role=SENIOR, videoId=f"video_{video_id}", uploadId=f"upload_{upload_id}")
    found: Answer = data["sceneMapUpload"]
    return found


async def test_a_scene_map_takes_the_place_of_the_one_before(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    answer = await mapped(
        api, owner_connection, tenant, "title,start_ms,end_ms\nThe arrival,0,8000\nThe pool,9000,60000\n"
    )

    scenes = answer["video"]["scenes"]
    assert [(scene["title"], scene["startMs"], scene["endMs"]) for scene in scenes] == [
        ("The arrival", 0, 8000), ("The pool", 9000, 60_000),
    ]  # fmt: skip
    assert len(await rows_of(owner_connection, "scenes", tenant.id)) == 2
    # The file has done its work: the next sweep takes it.
    [upload] = await rows_of(owner_connection, "uploads", tenant.id)
    assert (upload["state"], upload["consumed_at"]) == ("STORED", None)
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert event["kind"] == "SceneMapUploaded"
    listed = await api.data("Videos", role=JUNIOR, first=10)
    assert [edge["node"]["scenes"] for edge in listed["videos"]["edges"]] == [scenes]


async def test_a_refused_map_changes_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    answer = await mapped(api, owner_connection, tenant, "title,start_ms,end_ms\n,0,8000\nB,1,70000\n")

    assert answer["code"] == "INVALID"
    assert [(issue["field"], issue["code"]) for issue in answer["issues"]] == [
        ("line 2.title", "INVALID"), ("line 3.end_ms", "INVALID"),
    ]  # fmt: skip
    [scene] = await rows_of(owner_connection, "scenes", tenant.id)
    assert scene["title"] == "From 1"
    [upload] = await rows_of(owner_connection, "uploads", tenant.id)
    assert upload["state"] == "STORED"


async def test_a_map_of_another_purpose_or_size_is_refused(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    answer = await mapped(api, owner_connection, tenant, "x", purpose="PROPERTY_MEDIA")
    assert (answer["code"], answer["field"]) == ("INVALID", "uploadId")
    large = await mapped(api, owner_connection, tenant, "x", stored_bytes=200_001)
    assert (large["code"], large["field"]) == ("INVALID", "uploadId")


async def test_a_video_is_played_in_parts(
    api: Api, tenant: Tenant, owner_connection: Owner, http: httpx.AsyncClient
) -> None:
    reel = reels()[0]
    await api.system.uploads.objects.put(reel.file.key, reel.file.content, reel.file.content_type)
    await perception.video(
        owner_connection, tenant, object_key=reel.file.key, duration_ms=reel.duration_ms, title=reel.title
    )
    [edge] = (await api.data("Videos", role=JUNIOR, first=10))["videos"]["edges"]

    part = await http.get(edge["node"]["url"], headers={"range": "bytes=4-31"})

    assert (part.status_code, part.content) == (206, reel.file.content[4:32])
    assert part.headers["content-type"] == "video/webm"
    assert part.headers["content-range"] == f"bytes 4-31/{len(reel.file.content)}"
    assert part.headers["content-disposition"].startswith("inline")
    whole = await http.get(edge["node"]["url"])
    assert whole.content == reel.file.content


def test_the_demos_videos_are_small_and_always_the_same() -> None:
    reels.cache_clear()
    first = [reel.file.key for reel in reels()]
    reels.cache_clear()

    assert [reel.file.key for reel in reels()] == first
    assert all(len(reel.file.content) < 500_000 for reel in reels())
    assert [reel.duration_ms for reel in reels()] == [48_000] * 3


def test_a_cue_leads_to_each_cluster() -> None:
    content = webm([b"first", b"second"], 2_000, WIDTH, HEIGHT)

    segment = content.index(bytes.fromhex("18538067")) + 12
    clusters = [at for at in range(len(content)) if content.startswith(bytes.fromhex("1f43b675"), at)]
    for at in clusters:
        assert (at - segment).to_bytes(8, "big") in content
    assert content.startswith(bytes.fromhex("1a45dfa3"))
    assert b"webm" in content
