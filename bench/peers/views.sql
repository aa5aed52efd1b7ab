-- What the peers read: the rows that the broker sees, with the tenant and the broker as constants, so that a peer pays for
-- neither. Comments are PostGraphile's smart tags: keys and links that a view cannot have.
DROP SCHEMA IF EXISTS peers CASCADE;
CREATE SCHEMA peers;
SET search_path = peers, public;

CREATE VIEW peers.users AS
SELECT id, full_name FROM public.users WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.users IS E'@primaryKey id';

CREATE VIEW peers.households AS
SELECT id, name FROM public.households WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.households IS E'@primaryKey id';

CREATE VIEW peers.people AS
SELECT id, full_name, primary_phone_e164, primary_email, city, contact_type, household_id, last_contacted_at,
       next_best_action_kind, next_best_action_title, next_best_action_reason, next_best_action_due_at,
       next_best_action_computed_at, rules_qd_score, rules_qd_at, rules_qd_kind
FROM public.people WHERE tenant_id = {tenant} AND merged_into_id IS NULL;
COMMENT ON VIEW peers.people IS E'@primaryKey id\n'
  '@foreignKey (household_id) references peers.households (id)|@fieldName household|@foreignFieldName members';

CREATE VIEW peers.relationships AS
SELECT id, person_id, other_id, kind, created_at FROM public.relationships WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.relationships IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName relationships\n'
  '@foreignKey (other_id) references peers.people (id)|@fieldName other|@foreignFieldName relationshipsOfOthers';

CREATE VIEW peers.projects AS
SELECT id, name, city, developer_name FROM public.projects WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.projects IS E'@primaryKey id';

CREATE VIEW peers.properties AS
SELECT id, listing_key, standard_status, property_type, property_sub_type, list_price_amount, list_price_currency,
       bedrooms_total, bathrooms_total_integer, living_area, living_area_units, city, archived_at, updated_at, created_at,
       project_id
FROM public.properties WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.properties IS E'@primaryKey id\n'
  '@foreignKey (project_id) references peers.projects (id)|@fieldName project';

CREATE VIEW peers.property_media AS
SELECT id, property_id, category, '/assets/' || object_key AS url, "order" FROM public.property_media
WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.property_media IS E'@primaryKey id\n'
  '@foreignKey (property_id) references peers.properties (id)|@fieldName property|@foreignFieldName media';

CREATE VIEW peers.leads AS
SELECT id, stage, source, tags, budget_amount, budget_currency, created_at, person_id, assignee_id FROM public.leads l
WHERE tenant_id = {tenant}
  AND (assignee_id = ANY ({members}) OR EXISTS (
    SELECT FROM public.lead_shares s WHERE s.tenant_id = {tenant} AND s.lead_id = l.id AND s.user_id = {viewer}));
COMMENT ON VIEW peers.leads IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName leads\n'
  '@foreignKey (assignee_id) references peers.users (id)|@fieldName assignee\n'
  '@foreignKey (stage) references peers.pipeline_stages (stage)|@fieldName pipelineStage|@foreignFieldName leads';

CREATE VIEW peers.stage_changes AS
SELECT c.id, c.lead_id, c.from_stage, c.to_stage, c.at, c.by_noun, c.by_id,
       coalesce(u.full_name, s.display_name) AS by_display_name
FROM public.stage_changes c
LEFT JOIN public.users u ON c.by_noun = 'users' AND u.tenant_id = {tenant} AND u.id = c.by_id
LEFT JOIN public.system_actors s ON c.by_noun = 'system_actors' AND s.tenant_id = {tenant} AND s.id = c.by_id
WHERE c.tenant_id = {tenant};
COMMENT ON VIEW peers.stage_changes IS E'@primaryKey id\n'
  '@foreignKey (lead_id) references peers.leads (id)|@fieldName lead|@foreignFieldName stageHistory';

CREATE VIEW peers.property_interests AS
SELECT id, person_id, lead_id, property_id, project_id, level, configuration, created_at FROM public.property_interests
WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.property_interests IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName propertyInterests\n'
  '@foreignKey (lead_id) references peers.leads (id)|@fieldName lead|@foreignFieldName propertyInterests\n'
  '@foreignKey (property_id) references peers.properties (id)|@fieldName property\n'
  '@foreignKey (project_id) references peers.projects (id)|@fieldName project';

CREATE VIEW peers.opportunities AS
SELECT id, person_id, property_id, stage, amount_amount, amount_currency, probability, expected_close_on, created_at
FROM public.opportunities WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.opportunities IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName opportunities\n'
  '@foreignKey (property_id) references peers.properties (id)|@fieldName property';

CREATE VIEW peers.interactions AS
SELECT id, person_id, kind, direction, summary, occurred_at, duration_seconds, property_id FROM public.interactions
WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.interactions IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName interactions\n'
  '@foreignKey (property_id) references peers.properties (id)|@fieldName property';

CREATE VIEW peers.objections AS
SELECT id, interaction_id, kind, text, resolved, created_at FROM public.objections WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.objections IS E'@primaryKey id\n'
  '@foreignKey (interaction_id) references peers.interactions (id)|@fieldName interaction|@foreignFieldName objections';

CREATE VIEW peers.facts AS
SELECT id, person_id, kind, text, confidence, source, quote, interaction_id, extracted_at, created_at FROM public.facts
WHERE tenant_id = {tenant} AND dismissed_at IS NULL;
COMMENT ON VIEW peers.facts IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName facts\n'
  '@foreignKey (interaction_id) references peers.interactions (id)|@fieldName interaction';

CREATE VIEW peers.tasks AS
SELECT id, person_id, lead_id, title, due_at, priority, status, coalesce(due_at, 'infinity') AS due_or_never
FROM public.tasks WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.tasks IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName tasks';

CREATE VIEW peers.threads AS
SELECT t.id, t.person_id, t.channel, t.last_message_at, coalesce(r.unread_count, 0) AS unread_count
FROM public.threads t
LEFT JOIN public.thread_reads r ON r.tenant_id = {tenant} AND r.thread_id = t.id AND r.user_id = {viewer}
WHERE t.tenant_id = {tenant};
COMMENT ON VIEW peers.threads IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName threads';

CREATE VIEW peers.consents AS
SELECT id, person_id, purpose, modality, granted_at, expires_at, created_at,
       CASE WHEN withdrawn_at <= now() THEN 'WITHDRAWN' WHEN expires_at <= now() THEN 'EXPIRED' ELSE 'ACTIVE' END AS status
FROM public.consents WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.consents IS E'@primaryKey id\n'
  '@foreignKey (person_id) references peers.people (id)|@fieldName person|@foreignFieldName consents';

CREATE VIEW peers.qd_rollups AS
SELECT person_id, source, kind, hour, low, high, total, scores FROM public.qd_rollups WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.qd_rollups IS E'@behavior -*';

CREATE VIEW peers.tenant_heads AS
SELECT event_sequence FROM public.tenant_heads WHERE tenant_id = {tenant};
COMMENT ON VIEW peers.tenant_heads IS E'@behavior -*';

-- The pipeline: one row per stage, in the order of the business. An amount per currency, as in the product.
CREATE TYPE peers.money AS (amount numeric, currency text);
CREATE VIEW peers.pipeline_stages AS
SELECT k.stage, k.position, coalesce(s.lead_count, 0)::int AS lead_count, coalesce(s.totals, '{{}}') AS budget_totals
FROM unnest({stages}) WITH ORDINALITY k(stage, position)
LEFT JOIN (
  SELECT c.stage, sum(c.leads) AS lead_count,
         array_agg(row(c.amount, c.currency)::peers.money ORDER BY c.currency) FILTER (WHERE c.currency IS NOT NULL) AS totals
  FROM (SELECT stage, budget_currency AS currency, count(*) AS leads, sum(budget_amount) AS amount
        FROM peers.leads GROUP BY stage, budget_currency) c GROUP BY c.stage) s ON s.stage = k.stage;
COMMENT ON VIEW peers.pipeline_stages IS E'@primaryKey stage';
COMMENT ON COLUMN peers.pipeline_stages.budget_totals IS E'@notNull';

CREATE FUNCTION peers.leads_next_task(lead peers.leads) RETURNS peers.tasks LANGUAGE sql STABLE AS $$
  SELECT * FROM peers.tasks WHERE lead_id = lead.id AND status = 'OPEN' ORDER BY due_or_never, id LIMIT 1 $$;

CREATE FUNCTION peers.event_cursor() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT event_sequence::text FROM peers.tenant_heads $$;

CREATE FUNCTION peers.people_restricted_fields(person peers.people) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT '{{}}'::text[] $$;

-- A series in buckets of whole hours, empty ones left out, from the sums that the product keeps: for PostGraphile.
CREATE TYPE peers.qd_point AS (at timestamptz, score float8, low float8, high float8);
CREATE TYPE peers.qd_series AS (source text, points peers.qd_point[], min float8, max float8, mean float8, count int);
CREATE FUNCTION peers.people_qd_series(
  person peers.people, "from" timestamptz, "to" timestamptz, width interval, source text
) RETURNS peers.qd_series LANGUAGE sql STABLE AS $$
  SELECT people_qd_series.source,
         array_agg(row(at, round((total / scores)::numeric, 4)::float8, low, high)::peers.qd_point ORDER BY at),
         min(low), max(high), round((sum(total) / sum(scores))::numeric, 4)::float8, coalesce(sum(scores), 0)::int
  FROM (SELECT date_bin(width, r.hour, "from") AS at, min(low) AS low, max(high) AS high, sum(total) AS total,
               sum(scores) AS scores
        FROM peers.qd_rollups r
        WHERE r.person_id = person.id AND r.source = people_qd_series.source
          AND r.kind = ANY ('{{LIVE,SESSION,PROFILE}}') AND r.hour >= "from" AND r.hour < "to"
        GROUP BY 1) b $$;
