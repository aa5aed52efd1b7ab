"""JSON text by `concat`: constants merge, quotes are doubled, and PostgreSQL's argument limit is never met."""

from asyncpg import Connection, Record

from db.reading.pieces import Pieces, literal


def test_constants_merge() -> None:
    assert str(Pieces().text("a").text("b").sql("t1.x").text("c")) == "concat('ab', t1.x, 'c')"


def test_quotes_are_doubled() -> None:
    assert literal("it's") == "'it''s'"


async def test_more_pieces_than_a_function_takes_arguments(owner_connection: "Connection[Record]") -> None:
    pieces, expected = Pieces(), ""
    for number in range(20_000):
        pieces.text(",").sql(f"{number}::text")
        expected += f",{number}"
    assert await owner_connection.fetchval(f"SELECT {pieces}") == expected
