// Mercurius with its JIT, and loaders written by hand: one statement for each level of an answer.
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mercurius from "mercurius";
import { connected, rows } from "./database.mjs";

const pageOf = (found, first, cursorOf) => {
  const page = found.length > first ? found.slice(0, first) : found;
  const last = page.at(-1);
  return {
    edges: page.map((node) => ({ node })),
    pageInfo: { hasNextPage: found.length > first, endCursor: last && cursorOf ? cursorOf(last) : null },
  };
};
const cursor = (column) => (row) =>
  Buffer.from(JSON.stringify([column.toUpperCase(), row[column], row.id])).toString("base64");
const money = (amount, currency) => (amount === null ? null : { amount, currency });
const keys = (queries, column) => [...new Set(queries.map(({ obj }) => obj[column]).filter((key) => key !== null))];

// A link: the rows behind a key, read for all parents at once.
const link = (name, column) => async (queries) => {
  const wanted = keys(queries, column);
  if (wanted.length === 0) return queries.map(() => null);
  const found = new Map((await rows(name, wanted)).map((row) => [row.id, row]));
  return queries.map(({ obj }) => found.get(obj[column]) ?? null);
};

const grouped = (found, column) => {
  const groups = new Map();
  for (const row of found) {
    const group = groups.get(row[column]);
    if (group === undefined) groups.set(row[column], [row]);
    else group.push(row);
  }
  return groups;
};

// A connection: a page of rows for each parent. One row more than asked for tells whether there is a next page.
const list = (name, column, { key = "id", cursorOf, paged = false } = {}) => async (queries) => {
  const { first } = queries[0].params;
  const found = grouped(await rows(name, keys(queries, key), first + (paged ? 1 : 0)), column);
  return queries.map(({ obj }) => pageOf(found.get(obj[key]) ?? [], first, cursorOf));
};

// Within one request nothing is asked twice, so Mercurius's own cache would only cost.
const uncached = (types) =>
  Object.fromEntries(
    Object.entries(types).map(([type, fields]) => [
      type,
      Object.fromEntries(Object.entries(fields).map(([name, loader]) => [name, { loader, opts: { cache: false } }])),
    ]),
  );

const loaders = uncached({
  Lead: {
    person: link("names_and_scores_of_people", "person_id"),
    assignee: link("users_by_id", "assignee_id"),
    propertyInterests: list("interests_of_leads", "lead_id"),
    stageHistory: list("stage_changes_of_leads", "lead_id"),
    nextTask: async (queries) => {
      const found = new Map((await rows("next_tasks_of_leads", keys(queries, "id"))).map((row) => [row.key, row]));
      return queries.map(({ obj }) => found.get(obj.id) ?? null);
    },
  },
  Person: {
    household: link("households_by_id", "household_id"),
    relationships: list("relationships_of_people", "person_id"),
    leads: list("leads_of_people", "person_id"),
    opportunities: list("opportunities_of_people", "person_id"),
    propertyInterests: list("interests_of_people", "person_id"),
    interactions: list("interactions_of_people", "person_id", { cursorOf: cursor("occurred_at"), paged: true }),
    facts: list("facts_of_people", "person_id"),
    tasks: list("open_tasks_of_people", "person_id"),
    threads: list("threads_of_people", "person_id"),
    consents: list("consents_of_people", "person_id"),
  },
  Household: { members: list("members_of_households", "household_id") },
  Relationship: { other: link("names_and_scores_of_people", "other_id") },
  PropertyInterest: { property: link("properties_by_id", "property_id"), project: link("projects_by_id", "project_id") },
  Property: {
    project: link("projects_by_id", "project_id"),
    media: list("media_of_properties", "property_id"),
  },
  Opportunity: { property: link("properties_by_id", "property_id") },
  Fact: { interaction: link("interactions_by_id", "interaction_id") },
  CallInteraction: {
    objections: async (queries) => {
      const found = grouped(await rows("objections_of_interactions", keys(queries, "id")), "interaction_id");
      return queries.map(({ obj }) => found.get(obj.id) ?? []);
    },
  },
  VisitInteraction: { property: link("properties_by_id", "property_id") },
  PipelineStage: {
    leads: list("leads_of_stages", "stage", { key: "stage", cursorOf: cursor("created_at"), paged: true }),
  },
});

const kinds = { MESSAGE: "Message", CALL: "Call", EMAIL: "Email", VISIT: "Visit", NOTE: "Note" };
const capital = { createdAt: "created_at", occurredAt: "occurred_at", fullName: "full_name" };
const renamed = (...names) =>
  Object.fromEntries(
    names.map((name) => {
      const column = capital[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [name, (row) => row[column]];
    }),
  );

// The document's own selection decides which statement a person needs: a name alone does not need the whole row.
const onlyName = (info) => {
  const selected = info.fieldNodes[0].selectionSet.selections;
  return selected.every(({ name }) => name?.value === "id" || name?.value === "fullName");
};

async function qdSeries(person, { from, to, points, source }) {
  // Buckets of whole hours, as in the product: the range that is asked for begins and ends with one.
  const hours = Math.ceil((Date.parse(to) - Date.parse(from)) / 3_600_000 / points);
  const [found] = await rows("qd_series", person.id, from, to, `${hours} hours`, source);
  const ats = found.ats ?? [];
  return {
    source, min: found.min, max: found.max, mean: found.mean, count: found.count,
    points: ats.map((at, i) => ({ at, score: found.scores[i], low: found.lows[i], high: found.highs[i] })),
  };
}

const resolvers = {
  Query: {
    leads: async (_, { first }) => pageOf(await rows("leads", first + 1), first, cursor("created_at")),
    person: async (_, { id }, _context, info) =>
      (await rows(info && onlyName(info) ? "name_of_person" : "person", id))[0] ?? null,
    eventCursor: async () => (await rows("event_cursor"))[0].event_sequence,
    pipeline: async () => ({ stages: await rows("pipeline_stages") }),
    properties: async (_, { first }) => {
      const [page, [{ total }]] = await Promise.all([rows("properties", first + 1), rows("count_of_properties")]);
      return { ...pageOf(page, first, cursor("created_at")), totalCount: total };
    },
  },
  Lead: { ...renamed("createdAt"), budget: (lead) => money(lead.budget_amount, lead.budget_currency) },
  User: { ...renamed("fullName"), displayName: (user) => user.full_name },
  Actor: { resolveType: (row) => (row.noun === "users" ? "UserActor" : "SystemActor") },
  StageChange: {
    ...renamed("fromStage", "toStage"),
    by: (row) => (row.by_id === null ? null : { noun: row.by_noun, id: row.by_id, displayName: row.by_display_name }),
  },
  Project: renamed("developerName"),
  Property: {
    ...renamed("listingKey", "standardStatus", "propertyType", "propertySubType", "bedroomsTotal"),
    ...renamed("bathroomsTotalInteger", "archivedAt", "updatedAt"),
    listPrice: (row) => money(row.list_price_amount, row.list_price_currency),
    livingArea: (row) => (row.living_area === null ? null : { value: row.living_area, unit: row.living_area_units }),
  },
  Person: {
    ...renamed("fullName", "primaryEmail", "contactType", "lastContactedAt"),
    primaryPhone: (row) => (row.primary_phone_e164 === null ? null : { e164: row.primary_phone_e164 }),
    restrictedFields: () => [],
    latestQd: (row) =>
      row.rules_qd_at === null
        ? null
        : { score: row.rules_qd_score, at: row.rules_qd_at, kind: row.rules_qd_kind, source: "RULES" },
    nextBestAction: (row) =>
      row.next_best_action_kind === null
        ? null
        : {
            kind: row.next_best_action_kind, title: row.next_best_action_title, reason: row.next_best_action_reason,
            dueAt: row.next_best_action_due_at, computedAt: row.next_best_action_computed_at,
          },
    qdSeries,
  },
  Opportunity: {
    ...renamed("expectedCloseOn"),
    amount: (row) => money(row.amount_amount, row.amount_currency),
  },
  Fact: renamed("extractedAt"),
  Task: renamed("dueAt"),
  Thread: renamed("lastMessageAt", "unreadCount"),
  Consent: renamed("grantedAt", "expiresAt"),
  Interaction: { resolveType: (row) => `${kinds[row.kind]}Interaction` },
  ...Object.fromEntries(
    Object.values(kinds).map((kind) => [
      `${kind}Interaction`,
      renamed("occurredAt", ...(kind === "Call" ? ["durationSeconds"] : [])),
    ]),
  ),
  PipelineStage: renamed("leadCount", "budgetTotals"),
};

const app = Fastify({ logger: false });
const schema = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false });
await connected();
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
