"""Renders through the schema: a photograph is taken into use, a job is queued, and its files are shown."""

from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Connection, Record

from db.fleet.state import SqlFleetState
from domain.access import Role
from domain.fleet import Resource, Runtime, WorkerKind, WorkerSeen
from tests.api import Api
from tests.factories import assets, jobs
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR, DIRECTOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR
ASKED: dict[str, Any] = {"roomType": "LIVING_ROOM", "keywords": ["warm", "oak"]}
FILES = """
query ($id: ID!) {
  renderJob(id: $id) {
    status workflow roomType keywords attempt prompt
    progress { value max step }
    photo { id url thumbnailUrl contentType width height }
    outputs { id url thumbnailUrl contentType width height }
  }
}
"""


async def photograph(owner: Owner, tenant: Tenant, **values: object) -> str:
    made = await assets.upload(owner, tenant, user_id=tenant.users[JUNIOR], **{"purpose": "ROOM_PHOTO", **values})
    return f"upload_{made}"


def asked_by(user_id: UUID) -> dict[str, Any]:
    return {"created_by_noun": "users", "created_by_id": user_id}


async def submitted(api: Api, **values: object) -> dict[str, Any]:
    answer = await api.data("RenderSubmit", role=JUNIOR, input={**ASKED, **values})
    found: dict[str, Any] = answer["renderSubmit"]
    return found


async def test_a_photograph_becomes_the_photograph_of_a_job(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    upload = await photograph(owner_connection, tenant)
    made = await submitted(api, photoUploadId=upload, keywords=["warm ", "oak", "warm"])
    assert made["job"]["status"] == "QUEUED"

    job = (await api.data(FILES, role=JUNIOR, id=made["job"]["id"]))["renderJob"]
    photo = job.pop("photo")
    assert job == {
        "status": "QUEUED", "workflow": "STAGING", "roomType": "LIVING_ROOM", "keywords": ["warm", "oak"],
        "attempt": 0, "prompt": None, "progress": None, "outputs": [],
    }  # fmt: skip
    assert (photo["contentType"], photo["width"], photo["height"], photo["thumbnailUrl"]) == ("image/png", 4, 3, None)
    assert photo["url"].startswith(f"/assets/uploads/{tenant.id}/{upload.removeprefix('upload_')}.png?expires=")
    (row,) = await rows_of(owner_connection, "uploads", tenant.id)
    assert row["state"] == "CONSUMED"


async def test_a_poster_and_a_film_are_asked_for_in_the_same_way(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    for workflow in ("POSTER", "IMAGE_TO_VIDEO"):
        upload = await photograph(owner_connection, tenant)
        made = await submitted(api, photoUploadId=upload, workflow=workflow)
        job = (await api.data(FILES, role=JUNIOR, id=made["job"]["id"]))["renderJob"]
        assert job["workflow"] == workflow


async def test_an_upload_is_rendered_once_and_by_whoever_sent_it(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    upload = await photograph(owner_connection, tenant)
    assert (await submitted(api, photoUploadId=upload))["__typename"] == "RenderSubmitPayload"
    spent = await submitted(api, photoUploadId=upload)
    assert (spent["code"], spent["field"]) == ("CONFLICT", "photoUploadId")
    avatar = await photograph(owner_connection, tenant, purpose="AVATAR")
    other = await submitted(api, photoUploadId=avatar)
    assert (other["code"], other["message"], other["field"]) == (
        "INVALID", "This upload is for AVATAR, not for ROOM_PHOTO.", "photoUploadId",
    )  # fmt: skip
    mine = await photograph(owner_connection, tenant)
    answer = await api.data("RenderSubmit", role=SENIOR, input={**ASKED, "photoUploadId": mine})
    assert answer["renderSubmit"]["code"] == "NOT_FOUND"


async def test_a_refused_render_leaves_its_photograph_for_another(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    upload = await photograph(owner_connection, tenant)
    refused = await submitted(api, photoUploadId=upload, keywords=["oak", "x" * 90])
    assert (refused["code"], refused["field"]) == ("INVALID", "keywords")
    assert (await submitted(api, photoUploadId=upload))["__typename"] == "RenderSubmitPayload"
    assert len(await rows_of(owner_connection, "jobs", tenant.id)) == 1


async def test_the_same_key_is_the_same_job(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    upload = await photograph(owner_connection, tenant)
    first = await submitted(api, photoUploadId=upload, idempotencyKey="k")
    assert await submitted(api, photoUploadId=upload, idempotencyKey="k") == first


async def test_results_are_listed_as_they_were_made_with_signed_addresses(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    job_id = await jobs.job(
        owner_connection, tenant, requested_by=tenant.users[JUNIOR], kind="RENDER", status="SUCCEEDED"
    )
    mine = asked_by(tenant.users[JUNIOR])
    second_made = await assets.output(owner_connection, tenant, job_id=job_id, position=2, **mine)
    first_made = await assets.output(
        owner_connection, tenant, job_id=job_id, thumbnail_key="renders/small.webp", **mine
    )
    (first, second) = (await api.data(FILES, role=JUNIOR, id=f"job_{job_id}"))["renderJob"]["outputs"]
    assert [first["id"], second["id"]] == [f"asset_{first_made}", f"asset_{second_made}"]
    assert first["thumbnailUrl"].startswith("/assets/renders/small.webp?expires=")
    assert second["thumbnailUrl"] is None
    assert first["url"].startswith(f"/assets/renders/{first_made}.png?expires=")


async def test_a_file_is_seen_by_who_asked_for_it_by_their_senior_and_by_directors(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    made = await assets.asset(owner_connection, tenant, **asked_by(tenant.users[JUNIOR]))
    theirs = await assets.asset(owner_connection, tenant, **asked_by(tenant.outsider))
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Asset { contentType } } }"
    ids = [f"asset_{made}", f"asset_{theirs}"]
    seen = {
        role: [found and found["id"] for found in (await api.data(document, role=role, ids=ids))["nodes"]]
        for role in (JUNIOR, SENIOR, DIRECTOR)
    }
    assert seen == {JUNIOR: [ids[0], None], SENIOR: [ids[0], None], DIRECTOR: ids}


async def test_which_worker_has_a_render_is_for_those_who_see_the_fleet(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    resource = Resource(WorkerKind.COMFYUI, "left", "http://10.0.0.5:8188", Runtime.COMFYUI)
    await SqlFleetState(api.system.engine).register([WorkerSeen(resource, queue_depth=1)], datetime.now(UTC))
    given: dict[str, Any] = {"kind": "RENDER", "render_worker_id": resource.id}
    job_id = await jobs.job(owner_connection, tenant, requested_by=tenant.users[JUNIOR], **given)
    document = "query ($id: ID!) { renderJob(id: $id) { worker { id url } } }"
    seen = {
        role: (await api.data(document, role=role, id=f"job_{job_id}"))["renderJob"]["worker"]
        for role in (JUNIOR, SENIOR, DIRECTOR)
    }
    assert seen == {
        JUNIOR: None,
        SENIOR: None,
        DIRECTOR: {"id": f"worker_{resource.id}", "url": "http://10.0.0.5:8188"},
    }
