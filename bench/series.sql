-- Scores of some people at equal distances in time, in the order of the key.
-- $1 tenant, $2 people, $3 points of each, $4 first instant, $5 seconds between two points
INSERT INTO qd_scores (tenant_id, id, person_id, at, kind, source, score, engagement, valence, attention, confidence)
SELECT $1::uuid, uuidv7(), p.id, $4::timestamptz + i * $5::float8 * interval '1 second', 'LIVE', 'RULES',
       round((50 + 30 * sin((i + p.number * 31) / 4000.0) + 15 * sin(i / 37.0))::numeric, 2),
       0.5 + 0.4 * sin(i / 900.0), 0.6 * cos(i / 1100.0), 0.7, 0.9
FROM unnest($2::uuid[]) WITH ORDINALITY p(id, number), generate_series(0, $3::bigint - 1) i
