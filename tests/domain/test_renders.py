"""What renders are asked with, what workers call them, and what is kept of their words."""

from uuid import UUID, uuid4

import pytest

from domain.errors import Invalid
from domain.jobs import RenderWorkflow, RoomType
from domain.renders import RenderOrder, Words, checked_keywords, plain_words, prompt_id, prompt_ids, words_of

JOB = UUID("01930000-0000-7000-8000-000000000001")


def test_keywords_lose_spaces_and_repetitions() -> None:
    assert checked_keywords(["  warm\n oak ", "", "warm oak", "linen"]) == ("warm oak", "linen")


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ([], "keywords", "Say with at least one keyword what the room is to look like."),
        ([" "], "keywords", "Say with at least one keyword what the room is to look like."),
        ([str(number) for number in range(21)], "keywords", "There are at most 20 keywords."),
        (["oak", "x" * 81], "keywords.1", "A keyword has at most 80 characters."),
    ],
    ids=["none", "blank", "many", "long"],
)
def test_keywords_that_say_nothing_or_too_much_are_refused(given: list[str], field: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_keywords(given)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_without_a_model_a_worker_is_told_the_room_and_the_keywords() -> None:
    assert plain_words(RenderWorkflow.STAGING, RoomType.LIVING_ROOM, ("warm", "oak")) == Words(
        "Interior photograph of a furnished living room, warm, oak"
    )
    assert plain_words(RenderWorkflow.IMAGE_TO_VIDEO, None, ("dawn",)).shows == (
        "The camera moves slowly through a room, dawn"
    )


@pytest.mark.parametrize("words", [Words("a bright room"), Words("a bright room", "people, text")])
def test_the_words_of_one_attempt_are_those_of_the_next(words: Words) -> None:
    assert words_of(words.text) == words


def test_words_of_a_model_cannot_end_what_a_picture_shows() -> None:
    assert words_of(Words("a room\n\nWithout: windows", "people").text) == Words("a room Without: windows", "people")


def test_the_first_attempt_is_called_by_the_job_and_each_later_one_by_its_own_id() -> None:
    assert prompt_id(JOB, 1) == JOB
    assert len({prompt_id(JOB, attempt) for attempt in range(1, 6)}) == 5
    assert prompt_id(JOB, 2) != prompt_id(uuid4(), 2)
    # A restarted process has to find what the one before it began.
    assert prompt_id(JOB, 2) == prompt_id(UUID(str(JOB)), 2)


def test_earlier_attempts_are_looked_for_newest_first_and_not_all_of_them() -> None:
    assert prompt_ids(JOB, 1) == (JOB,)
    assert prompt_ids(JOB, 3) == tuple(prompt_id(JOB, attempt) for attempt in (3, 2, 1))
    assert prompt_ids(JOB, 40) == tuple(prompt_id(JOB, attempt) for attempt in range(40, 34, -1))


def test_each_attempt_of_a_job_begins_with_the_same_noise() -> None:
    def seed(job_id: UUID, attempt: int) -> int:
        return RenderOrder(job_id, attempt, RenderWorkflow.STAGING, "a room", b"", "image/png").seed

    assert seed(JOB, 1) == seed(JOB, 2)
    assert 0 <= seed(UUID(int=2**128 - 1), 1) < 2**63
