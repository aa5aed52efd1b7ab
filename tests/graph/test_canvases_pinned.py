"""A merge is pinned to the heads that its client saw: whatever moved meanwhile is told, and nothing is merged."""

from tests.api import Api
from tests.graph.test_canvases import (
    JUNIOR,
    SENIOR,
    advanced,
    committed,
    created,
    edit,
    forked,
    head_of,
    merged,
    opened,
    texts,
    words,
)

MERGE = """
mutation ($input: MergeRequestMergeInput!) { mergeRequestMerge(input: $input) {
  __typename ... on CanvasHeadMovedProblem { field currentHead { id } }
} }
"""


async def requested(api: Api) -> tuple[str, str, str, str]:
    """A canvas, a fork of it with a change, the request to merge it, and the canvas's head."""
    canvas, head = await created(api)
    await committed(api, canvas, head, words("a"), words("b"))
    fork = await forked(api, canvas)
    await advanced(api, fork, edit("a", "Theirs."))
    request = (await opened(api, fork, canvas))["mergeRequest"]["id"]
    return canvas, fork, request, await head_of(api, canvas)


async def test_a_merge_on_a_target_that_has_moved_is_refused(api: Api) -> None:
    canvas, _, request, seen = await requested(api)
    head = await advanced(api, canvas, edit("b", "Ours."))
    refused = await merged(api, request, seen)

    assert (refused["__typename"], refused["currentHead"]["id"]) == ("CanvasHeadMovedProblem", head)
    assert await texts(api, canvas) == {"a": "Hello.", "b": "Ours."}
    assert (await merged(api, request, head))["mergeRequest"]["status"] == "MERGED"
    assert await texts(api, canvas) == {"a": "Theirs.", "b": "Ours."}


async def test_a_merge_of_a_source_that_has_moved_is_refused_where_the_client_names_it(api: Api) -> None:
    canvas, fork, request, head = await requested(api)
    seen = await head_of(api, fork)
    moved = await advanced(api, fork, edit("a", "Theirs, later."))
    given = {"mergeRequestId": request, "expectedHeadId": head, "resolutions": []}
    refused, done = [
        (await api.data(MERGE, input={**given, "expectedSourceHeadId": source}, role=JUNIOR))["mergeRequestMerge"]
        for source in (seen, moved)
    ]

    assert refused == {
        "__typename": "CanvasHeadMovedProblem", "field": "expectedSourceHeadId", "currentHead": {"id": moved}
    }  # fmt: skip
    assert done["__typename"] == "MergeRequestMergePayload"
    assert await texts(api, canvas) == {"a": "Theirs, later.", "b": "Hello."}


async def test_a_resolution_outlives_a_head_that_leaves_its_values_alone(api: Api) -> None:
    canvas, _, request, _ = await requested(api)
    await advanced(api, canvas, edit("a", "Ours."))
    [conflict] = (await api.data("MergeRequest", id=request, role=SENIOR))["mergeRequest"]["conflicts"]
    head = await advanced(api, canvas, edit("b", "Beside it."))
    taken = {"conflictKey": conflict["key"], "choice": {"take": "THEIRS"}}
    assert (await merged(api, request, head, taken))["__typename"] == "MergeRequestMergePayload"
    assert await texts(api, canvas) == {"a": "Theirs.", "b": "Beside it."}


async def test_a_resolution_of_values_that_are_not_these_any_more_does_not_fit(api: Api) -> None:
    canvas, _, request, _ = await requested(api)
    await advanced(api, canvas, edit("a", "Ours."))
    [conflict] = (await api.data("MergeRequest", id=request, role=SENIOR))["mergeRequest"]["conflicts"]
    head = await advanced(api, canvas, edit("a", "Ours, later."))
    refused = await merged(api, request, head, {"conflictKey": conflict["key"], "choice": {"take": "THEIRS"}})
    assert refused["__typename"] == "MergeConflictProblem"
    assert [each["key"] for each in refused["conflicts"]] != [conflict["key"]]
    assert await head_of(api, canvas) == head
