-- The statements of the two hand-written peers: one per page or batch of links, over the views of `views.sql`.
-- A parameter `$1::uuid[]` is a batch of keys; a list below them is read by LATERAL, so that each key has its own page.

-- name: leads
SELECT id, stage, budget_amount::text, budget_currency, created_at, person_id FROM peers.leads
ORDER BY created_at DESC, id DESC LIMIT $1::bigint

-- name: names_and_scores_of_people
SELECT id, full_name, rules_qd_score, rules_qd_at FROM peers.people WHERE id = ANY ($1::uuid[])

-- name: name_of_person
SELECT id, full_name FROM peers.people WHERE id = $1::uuid

-- name: person
SELECT * FROM peers.people WHERE id = $1::uuid

-- name: interactions_of_people
SELECT i.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.interactions i WHERE i.person_id = k.key ORDER BY occurred_at DESC, id DESC LIMIT $2::bigint) i

-- name: interests_of_leads
SELECT i.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.property_interests i WHERE i.lead_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) i

-- name: interests_of_people
SELECT i.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.property_interests i WHERE i.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) i

-- name: properties_by_id
SELECT id, listing_key, list_price_amount::text, list_price_currency, project_id FROM peers.properties
WHERE id = ANY ($1::uuid[])

-- name: projects_by_id
SELECT * FROM peers.projects WHERE id = ANY ($1::uuid[])

-- name: users_by_id
SELECT * FROM peers.users WHERE id = ANY ($1::uuid[])

-- name: households_by_id
SELECT * FROM peers.households WHERE id = ANY ($1::uuid[])

-- name: interactions_by_id
SELECT id, kind FROM peers.interactions WHERE id = ANY ($1::uuid[])

-- name: members_of_households
SELECT p.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT id, full_name, household_id FROM peers.people p WHERE p.household_id = k.key
  ORDER BY full_name, id LIMIT $2::bigint) p

-- name: relationships_of_people
SELECT r.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.relationships r WHERE r.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) r

-- name: leads_of_people
SELECT l.id, l.stage, l.source, l.tags, l.budget_amount::text, l.budget_currency, l.person_id, l.assignee_id
FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.leads l WHERE l.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) l

-- name: stage_changes_of_leads
SELECT c.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.stage_changes c WHERE c.lead_id = k.key ORDER BY at DESC, id DESC LIMIT $2::bigint) c

-- name: opportunities_of_people
SELECT o.id, o.person_id, o.property_id, o.stage, o.amount_amount::text, o.amount_currency, o.probability,
       o.expected_close_on::text
FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.opportunities o WHERE o.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) o

-- name: objections_of_interactions
SELECT o.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.objections o WHERE o.interaction_id = k.key ORDER BY created_at, id LIMIT 100) o

-- name: facts_of_people
SELECT f.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.facts f WHERE f.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) f

-- name: open_tasks_of_people
SELECT t.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT id, person_id, title, due_at, priority FROM peers.tasks t WHERE t.person_id = k.key AND t.status = 'OPEN'
  ORDER BY due_or_never, id LIMIT $2::bigint) t

-- name: threads_of_people
SELECT t.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.threads t WHERE t.person_id = k.key ORDER BY last_message_at DESC, id DESC LIMIT $2::bigint) t

-- name: consents_of_people
SELECT c.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.consents c WHERE c.person_id = k.key ORDER BY created_at DESC, id DESC LIMIT $2::bigint) c

-- name: pipeline_stages
SELECT stage, lead_count,
       (SELECT coalesce(json_agg(json_build_object('amount', m.amount::text, 'currency', m.currency)), '[]')
        FROM unnest(budget_totals) m) AS budget_totals
FROM peers.pipeline_stages ORDER BY position

-- name: leads_of_stages
SELECT l.* FROM unnest($1::text[]) k(key) CROSS JOIN LATERAL (
  SELECT id, stage, tags, person_id, assignee_id, created_at FROM peers.leads l WHERE l.stage = k.key
  ORDER BY created_at DESC, id DESC LIMIT $2::bigint) l

-- name: next_tasks_of_leads
SELECT k.key, t.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT id, title, due_at FROM peers.tasks t WHERE t.lead_id = k.key AND t.status = 'OPEN'
  ORDER BY due_or_never, id LIMIT 1) t

-- name: event_cursor
SELECT event_sequence::text FROM peers.tenant_heads

-- name: properties
SELECT id, listing_key, standard_status, property_type, property_sub_type, list_price_amount::text, list_price_currency,
       bedrooms_total, bathrooms_total_integer, living_area, living_area_units, city, archived_at, updated_at, created_at,
       project_id
FROM peers.properties ORDER BY created_at DESC, id DESC LIMIT $1::bigint

-- name: count_of_properties
SELECT count(*)::int AS total FROM peers.properties

-- name: media_of_properties
SELECT m.* FROM unnest($1::uuid[]) k(key) CROSS JOIN LATERAL (
  SELECT * FROM peers.property_media m WHERE m.property_id = k.key ORDER BY "order", id LIMIT $2::bigint) m

-- name: qd_series
SELECT array_agg(at ORDER BY at) AS ats, array_agg(round((total / scores)::numeric, 4)::float8 ORDER BY at) AS scores,
       array_agg(low ORDER BY at) AS lows, array_agg(high ORDER BY at) AS highs, min(low) AS min, max(high) AS max,
       round((sum(total) / sum(scores))::numeric, 4)::float8 AS mean, coalesce(sum(scores), 0)::int AS count
FROM (SELECT date_bin($4::interval, hour, $2::timestamptz) AS at, min(low) AS low, max(high) AS high,
             sum(total) AS total, sum(scores) AS scores
      FROM peers.qd_rollups
      WHERE person_id = $1::uuid AND source = $5::text AND kind = ANY ('{LIVE,SESSION,PROFILE}')
        AND hour >= $2::timestamptz AND hour < $3::timestamptz
      GROUP BY 1) b

-- name: newest_event
SELECT max(event_sequence) AS sequence FROM tenant_heads

-- name: activity_after
SELECT a.sequence, rpad(a.sequence::text, 31, '-') AS cursor, 'activity_' || a.id AS id, a.kind, a.summary,
       to_json(a.at) #>> '{}' AS at, a.actor_noun, 'user_' || a.actor_id AS actor_id, u.full_name AS actor_name,
       a.subject_noun, 'person_' || a.subject_id AS subject_id
FROM activity_entries a LEFT JOIN users u ON u.tenant_id = a.tenant_id AND u.id = a.actor_id
WHERE a.sequence > $1 ORDER BY a.sequence
