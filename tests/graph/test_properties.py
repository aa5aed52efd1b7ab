"""Properties through the schema: what is read, what is refused, and what a change leaves behind."""

from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.signing import AssetKey
from tests.api import Api
from tests.factories import people, properties
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

LIST = """query($first: Int, $after: String, $filter: PropertyFilter, $orderBy: PropertyOrder) {
  properties(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    edges { node { id listingKey } } pageInfo { hasNextPage endCursor } totalCount } }"""
UPDATE = """mutation($input: PropertyUpdateInput!) { propertyUpdate(input: $input) { __typename
  ... on PropertyUpdatePayload { property { standardStatus listPrice { amount currency } publicRemarks city
    livingArea { value unit } carpetArea handoverOn offPlan project { id propertyCount }
    createdAt updatedAt statusChangeTimestamp priceChangeTimestamp originalEntryTimestamp } }
  ... on Problem { code message field } ... on InvalidProblem { issues { field message } } } }"""
COUNTS = "query($id: ID!) { project(id: $id) { propertyCount } }"
DIRHAMS = {"amount": "2500000.00", "currency": "AED"}
FLAT = {"listingKey": "DXB-1", "listPrice": DIRHAMS, "propertyType": "RESIDENTIAL"}


def gid(prefix: str, row_id: UUID) -> str:
    return f"{prefix}_{row_id}"


async def keys(api: Api, **variables: Any) -> list[str]:
    data = await api.data(LIST, **variables)
    return [edge["node"]["listingKey"] for edge in data["properties"]["edges"]]


async def created(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.data("PropertyCreate", input=FLAT | given)
    made: dict[str, Any] = answer["propertyCreate"]
    return made


async def updated(api: Api, property_id: str, **given: Any) -> dict[str, Any]:
    answer = await api.data(UPDATE, input={"propertyId": property_id, **given})
    changed: dict[str, Any] = answer["propertyUpdate"]
    return changed


async def test_a_property_is_read_with_all_that_is_known(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    project = await properties.project(owner_connection, tenant, city="Dubai", developer_name="Amal", country="AE")
    flat = await properties.property_(
        owner_connection, tenant, listing_key="DXB-7", project_id=project, property_sub_type="APARTMENT",
        bedrooms_total=3, bathrooms_total_integer=4, living_area=1850.5, living_area_units="SQUARE_FEET",
        carpet_area=1500.0, unparsed_address="Tower 2, 41", city="Dubai", state_or_province="Dubai", country="AE",
        latitude=25.08, longitude=55.14, public_remarks='Sea "view"', year_built=2027,
        development_status="UNDER_CONSTRUCTION", off_plan=True, permit_number="RERA-1",
        service_charge_per_area_amount=18, service_charge_per_area_currency="AED",
    )  # fmt: skip
    await properties.medium(owner_connection, tenant, property_id=flat, order=0)
    await properties.medium(owner_connection, tenant, property_id=flat, order=1, category="FLOOR_PLAN")

    data = await api.data(
        """query($id: ID!) { property(id: $id) { listingKey standardStatus propertyType propertySubType bedroomsTotal
        bathroomsTotalInteger livingArea { value unit } carpetArea unparsedAddress city stateOrProvince country latitude
        longitude publicRemarks yearBuilt developmentStatus photosCount offPlan handoverOn permitNumber archivedAt
        serviceChargePerArea { amount currency } listPrice { amount currency } priceChangeTimestamp
        project { id name city country developerName propertyCount } } }""",
        id=gid("property", flat),
        role=Role.JUNIOR_BROKER,
    )

    assert data["property"] == {
        "listingKey": "DXB-7", "standardStatus": "ACTIVE", "propertyType": "RESIDENTIAL",
        "propertySubType": "APARTMENT", "bedroomsTotal": 3, "bathroomsTotalInteger": 4,
        "livingArea": {"value": 1850.5, "unit": "SQUARE_FEET"}, "carpetArea": 1500, "unparsedAddress": "Tower 2, 41",
        "city": "Dubai", "stateOrProvince": "Dubai", "country": "AE", "latitude": 25.08, "longitude": 55.14,
        "publicRemarks": 'Sea "view"', "yearBuilt": 2027, "developmentStatus": "UNDER_CONSTRUCTION",
        "photosCount": 1, "offPlan": True, "handoverOn": None, "permitNumber": "RERA-1", "archivedAt": None,
        "serviceChargePerArea": {"amount": "18.00", "currency": "AED"},
        "listPrice": {"amount": "2000000.00", "currency": "AED"}, "priceChangeTimestamp": None,
        "project": {
            "id": gid("project", project), "name": "Marina Crest", "city": "Dubai", "country": "AE",
            "developerName": "Amal", "propertyCount": 0,
        },
    }  # fmt: skip


async def test_media_come_in_their_order_under_addresses_that_expire(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    flat = await properties.property_(owner_connection, tenant)
    second = await properties.medium(owner_connection, tenant, property_id=flat, order=2, object_key="t/second.jpg")
    first = await properties.medium(owner_connection, tenant, property_id=flat, order=1)
    now = await owner_connection.fetchval("SELECT now()")

    data = await api.data("Property", id=gid("property", flat))

    media = [edge["node"] for edge in data["property"]["media"]["edges"]]
    assert [(each["id"], each["order"]) for each in media] == [
        (gid("propertymedia", first), 1),
        (gid("propertymedia", second), 2),
    ]
    address = urlsplit(media[1]["url"])
    signed = {name: values[0] for name, values in parse_qs(address.query).items()}
    key = AssetKey(api.system.settings.data_dir.joinpath("signing.key").read_text().strip().encode())
    assert (address.scheme, address.netloc, address.path) == ("", "", "/assets/t/second.jpg")
    assert key.accepts("t/second.jpg", signed["expires"], signed["signature"], now)
    assert int(signed["expires"]) % 3600 == 0
    assert 3600 <= int(signed["expires"]) - now.timestamp() <= 7201


async def test_filters_narrow_the_list(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    project = await properties.project(owner_connection, tenant)
    moment = await owner_connection.fetchval("SELECT now()")
    listed: dict[str, dict[str, object]] = {
        "A": {"city": "Dubai", "project_id": project},
        "B": {"city": "Pune", "standard_status": "PENDING", "unparsed_address": "12 Lane, 50% up"},
        "C": {"city": "Pune", "property_type": "LAND", "archived_at": moment},
    }
    for key, values in listed.items():
        await properties.property_(owner_connection, tenant, listing_key=key, **values)

    assert await keys(api) == ["C", "B", "A"]
    assert await keys(api, filter={"city": "Pune"}) == ["C", "B"]
    assert await keys(api, filter={"city": "pune"}) == []
    assert await keys(api, filter={"standardStatuses": ["PENDING", "CLOSED"]}) == ["B"]
    assert await keys(api, filter={"propertyTypes": ["LAND"]}) == ["C"]
    assert await keys(api, filter={"projectId": gid("project", project)}) == ["A"]
    assert await keys(api, filter={"archived": True}) == ["C"]
    assert await keys(api, filter={"archived": False, "city": "Pune"}) == ["B"]
    assert await keys(api, filter={"search": "LANE, 50%"}) == ["B"]
    assert await keys(api, filter={"search": "%"}) == ["B"]


async def test_prices_order_the_list_and_its_pages(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    for key, price in {"A": 3, "B": 1, "C": 2, "D": 2}.items():
        await properties.property_(owner_connection, tenant, listing_key=key, list_price_amount=price)
    by_price = {"field": "LIST_PRICE", "direction": "ASC"}

    page = (await api.data(LIST, first=2, orderBy=by_price))["properties"]
    after = page["pageInfo"]["endCursor"]
    rest = await keys(api, first=2, after=after, orderBy=by_price)

    assert ([edge["node"]["listingKey"] for edge in page["edges"]], rest) == (["B", "C"], ["D", "A"])
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (True, 4)


async def test_projects_are_listed_newest_first_or_by_name(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    for name, city in {"Bay": "Dubai", "Atrium": "Pune", "Crest": "Dubai"}.items():
        await properties.project(owner_connection, tenant, name=name, city=city)
    by_name = """query($filter: ProjectFilter) { projects(filter: $filter, orderBy: {field: NAME, direction: ASC})
        { edges { node { name } } } }"""

    async def named(document: str, **variables: Any) -> list[str]:
        data = await api.data(document, **variables)
        return [edge["node"]["name"] for edge in data["projects"]["edges"]]

    assert await named("Projects", first=5) == ["Crest", "Atrium", "Bay"]
    assert await named(by_name) == ["Atrium", "Bay", "Crest"]
    assert await named(by_name, filter={"city": "Dubai"}) == ["Bay", "Crest"]
    assert await named(by_name, filter={"search": "TRI"}) == ["Atrium"]


async def test_a_property_is_created_with_its_timestamps_and_counted(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    project = await properties.project(owner_connection, tenant)

    made = await created(
        api, projectId=gid("project", project), city="Dubai", livingArea={"value": 90, "unit": "SQUARE_METERS"},
        carpetArea=80.5, offPlan=True, handoverOn="2028-06-30",
    )  # fmt: skip
    found = await updated(api, made["property"]["id"])

    assert made["property"]["listingKey"] == "DXB-1"
    read = found["property"]
    assert (read["standardStatus"], read["listPrice"], read["city"]) == ("ACTIVE", DIRHAMS, "Dubai")
    assert (read["livingArea"], read["carpetArea"]) == ({"value": 90, "unit": "SQUARE_METERS"}, 80.5)
    assert (read["offPlan"], read["handoverOn"]) == (True, "2028-06-30")
    assert read["project"] == {"id": gid("project", project), "propertyCount": 1}
    assert read["createdAt"] == read["originalEntryTimestamp"] == read["statusChangeTimestamp"] == read["updatedAt"]
    assert read["priceChangeTimestamp"] is None
    [entry] = await owner_connection.fetch(
        "SELECT action, subject_noun, changed_fields FROM audit_entries WHERE tenant_id = $1", tenant.id
    )
    assert (entry["action"], entry["subject_noun"]) == ("CREATE", "properties")
    assert {"listPrice", "projectId", "livingArea"} <= set(entry["changed_fields"])


async def test_a_listing_key_is_taken_once(
    owner_connection: Owner, tenant: Tenant, other_tenant: Tenant, api: Api
) -> None:
    project = gid("project", await properties.project(owner_connection, tenant))
    await created(api, projectId=project)

    again = await created(api, projectId=project)
    elsewhere = await Api(api.system, other_tenant).data("PropertyCreate", input=FLAT)

    assert again == {
        "__typename": "ConflictProblem", "code": "CONFLICT", "field": "listingKey",
        "message": "Another property has this listing key.",
    }  # fmt: skip
    assert elsewhere["propertyCreate"]["__typename"] == "PropertyCreatePayload"
    assert (await api.data(COUNTS, id=project))["project"] == {"propertyCount": 1}
    assert await keys(api) == ["DXB-1"]


async def test_an_idempotency_key_makes_one_property(api: Api) -> None:
    first = await created(api, idempotencyKey="k")
    again = await created(api, idempotencyKey="k")
    other = await created(api, idempotencyKey="k", listingKey="DXB-2")

    assert first == again
    assert (other["code"], other["field"]) == ("CONFLICT", "idempotencyKey")
    assert await keys(api) == ["DXB-1"]


@pytest.mark.parametrize(
    ("given", "issues"),
    [
        ({"listPrice": {"amount": "-1", "currency": "AED"}}, ["listPrice.amount"]),
        ({"listPrice": {"amount": "1", "currency": "XXX"}}, ["listPrice.currency"]),
        ({"listingKey": "x" * 256}, ["listingKey"]),
        ({"listingKey": "a\0b"}, ["listingKey"]),
        ({"publicRemarks": "\ud800"}, ["publicRemarks"]),
        ({"latitude": 91, "country": "in", "standardStatus": None}, ["standardStatus", "latitude", "country"]),
        ({"carpetArea": 10}, ["carpetArea"]),
    ],
)
async def test_bad_input_is_named_and_writes_nothing(api: Api, given: dict[str, Any], issues: list[str]) -> None:
    refused = await created(api, **given)

    assert refused["__typename"] == "InvalidProblem"
    assert [issue["field"] for issue in refused["issues"]] == issues
    assert await keys(api) == []


async def test_a_project_that_is_missing_or_foreign_is_not_found(
    owner_connection: Owner, other_tenant: Tenant, api: Api
) -> None:
    foreign = await properties.project(owner_connection, other_tenant)
    wrong = [gid("project", uuid4()), gid("project", foreign), gid("person", foreign), "x"]

    refusals = [await created(api, projectId=project_id) for project_id in wrong]

    assert refusals == [
        {"__typename": "NotFoundProblem", "code": "NOT_FOUND", "message": "There is no such record.",
         "field": "projectId"}
    ] * 4  # fmt: skip
    assert await keys(api) == []


async def test_a_price_and_a_status_take_their_timestamps_when_they_change(api: Api) -> None:
    flat = (await created(api))["property"]["id"]

    same = (await updated(api, flat, listPrice=DIRHAMS, standardStatus="ACTIVE"))["property"]
    dearer = (await updated(api, flat, listPrice={"amount": "2600000", "currency": "AED"}))["property"]
    pending = (await updated(api, flat, standardStatus="PENDING"))["property"]

    assert (same["priceChangeTimestamp"], same["statusChangeTimestamp"]) == (None, same["createdAt"])
    assert dearer["listPrice"] == {"amount": "2600000.00", "currency": "AED"}
    assert dearer["priceChangeTimestamp"] == dearer["updatedAt"] > dearer["createdAt"]
    assert dearer["statusChangeTimestamp"] == dearer["createdAt"]
    assert pending["standardStatus"] == "PENDING"
    assert pending["statusChangeTimestamp"] == pending["updatedAt"] > dearer["updatedAt"]
    assert pending["priceChangeTimestamp"] == dearer["priceChangeTimestamp"]


async def test_an_update_leaves_what_is_left_out_and_empties_what_is_null(api: Api) -> None:
    flat = (await created(api, city="Dubai", publicRemarks="Bright", carpetArea=80.5,
                          livingArea={"value": 90, "unit": "SQUARE_METERS"}))["property"]["id"]  # fmt: skip

    after = (await updated(api, flat, publicRemarks="Brighter", livingArea=None))["property"]
    refused = await updated(api, flat, listPrice=None, offPlan=None)

    assert (after["publicRemarks"], after["city"]) == ("Brighter", "Dubai")
    assert (after["livingArea"], after["carpetArea"]) == (None, None)
    assert [issue["field"] for issue in refused["issues"]] == ["listPrice", "offPlan"]


async def test_a_refused_status_changes_nothing(api: Api) -> None:
    flat = (await created(api, standardStatus="CLOSED"))["property"]["id"]

    refused = await updated(api, flat, standardStatus="ACTIVE", city="Dubai")

    assert (refused["code"], refused["field"]) == ("CONFLICT", "standardStatus")
    assert (await updated(api, flat))["property"]["city"] is None


async def test_project_counts_follow_a_move_and_an_archiving(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    one, two = [gid("project", await properties.project(owner_connection, tenant, name=name)) for name in "12"]
    flat = (await created(api, projectId=one))["property"]["id"]

    async def counts() -> list[int]:
        return [(await api.data(COUNTS, id=project))["project"]["propertyCount"] for project in (one, two)]

    seen = [await counts()]
    await updated(api, flat, projectId=two)
    seen.append(await counts())
    await updated(api, flat, projectId=None)
    seen.append(await counts())
    await updated(api, flat, projectId=two)
    await api.data("PropertyArchive", propertyId=flat)
    seen.append(await counts())

    assert seen == [[1, 0], [0, 1], [0, 0], [0, 0]]


async def test_a_property_archived_twice_stays_archived_since_the_first_time(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    flat = (await created(api))["property"]["id"]

    first = await api.data("PropertyArchive", propertyId=flat)
    again = await api.data("PropertyArchive", propertyId=flat)
    refused = await updated(api, flat, city="Dubai")

    assert first == again
    assert first["propertyArchive"]["property"]["archivedAt"] is not None
    assert (refused["code"], refused["message"]) == ("CONFLICT", "An archived property does not change any more.")
    kinds = await owner_connection.fetch("SELECT kind FROM events WHERE tenant_id = $1 ORDER BY sequence", tenant.id)
    assert [row["kind"] for row in kinds] == ["PropertyCreated", "PropertyArchived"]


async def test_a_junior_reads_but_does_not_write(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    flat = gid("property", await properties.property_(owner_connection, tenant))

    answers = [
        await api.data("PropertyCreate", input=FLAT, role=Role.JUNIOR_BROKER),
        await api.data(UPDATE, input={"propertyId": flat, "city": "Pune"}, role=Role.JUNIOR_BROKER),
        await api.data("PropertyArchive", propertyId=flat, role=Role.JUNIOR_BROKER),
    ]

    assert [next(iter(answer.values()))["code"] for answer in answers] == ["NOT_ALLOWED"] * 3
    assert len(await keys(api, role=Role.JUNIOR_BROKER)) == 1


async def test_another_tenants_property_looks_like_none(
    owner_connection: Owner, other_tenant: Tenant, api: Api
) -> None:
    foreign = gid("property", await properties.property_(owner_connection, other_tenant))

    read = await api.data("Property", id=foreign)
    written = await updated(api, foreign, city="Pune")
    archived = await api.data("PropertyArchive", propertyId=foreign)

    assert read == {"property": None}
    assert written["code"] == archived["propertyArchive"]["code"] == "NOT_FOUND"
    assert await keys(api) == []


async def test_interests_are_listed_as_far_as_the_caller_sees_them(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    flat = await properties.property_(owner_connection, tenant)
    for assignee in (tenant.users[Role.JUNIOR_BROKER], tenant.outsider):
        person = await people.person(owner_connection, tenant)
        lead = await people.lead(owner_connection, tenant, person_id=person, assignee_id=assignee)
        await properties.interest(owner_connection, tenant, property_id=flat, person_id=person, lead_id=lead)

    async def seen(role: Role) -> int:
        data = await api.data("Property", id=gid("property", flat), role=role)
        return len(data["property"]["propertyInterests"]["edges"])

    assert [await seen(role) for role in (Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.ADMIN)] == [1, 1, 2]


async def test_the_list_takes_three_statements_whatever_its_length(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    project = await properties.project(owner_connection, tenant)
    for _ in range(3):
        flat = await properties.property_(owner_connection, tenant, project_id=project)
        await properties.medium(owner_connection, tenant, property_id=flat, order=1)

    await api.data("Properties", first=20, role=Role.JUNIOR_BROKER)

    assert api.statements == 3
