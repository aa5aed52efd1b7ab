// The visits that are measured now, with every score that the page was told.
import { ask } from "./following.js";
import { Store } from "./store.js";
import { who } from "./words.js";

const MOST_RUNNING = 50;
const MOST_EARLIER = 8;
// Ended visits that keep their card while the page is open; older ones are a line.
const MOST_ENDED = 4;
// A batch is told by its last score. Where the next one comes later than this, the scores between are asked for.
const HOLE_MS = 1_000;
// So fine that each score has a bucket of its own, at up to 40 scores a second.
const BUCKET_MS = 25;
const MOST_BUCKETS = 2_000;
// So many questions at most for one hole: a visit of a quarter of an hour is known score by score.
const MOST_QUESTIONS = 20;
const AGAIN_MS = 1_000;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

class Visit {
  surface = null;
  startedAt = null;
  endedAt = null;
  finalQd = null;
  refinedQd = null;
  video = null;
  // { time, at, score, confidence, attention, engagement, valence, kind, source, scene }: told, in the order told.
  points = [];
  // { time, score }: what lies between them, as the history has it, by time.
  between = [];
  isSeen = true;
  scene = null;
  heardAt = Date.now();
  hole = null;
  isFilling = false;

  constructor(session) {
    this.id = session.id;
    this.update(session);
  }

  // Takes over whatever of a session an operation has selected.
  update(session) {
    for (const name of ["status", "person", "surface", "finalQd", "refinedQd", "video"])
      if (name in session) this[name] = session[name];
    for (const name of ["startedAt", "endedAt"]) if (session[name]) this[name] = Date.parse(session[name]);
  }

  get isRunning() {
    return this.status === "RUNNING";
  }

  get last() {
    return this.points.at(-1);
  }

  // All that is known, oldest first; `isTold` says which came as events. The history asked for is the rules'.
  get scores() {
    const told = this.points.map((point) => ({ ...point, isTold: true }));
    const between = this.between.map((point) => ({ ...point, source: "RULES", scene: null, isTold: false }));
    return [...told, ...between].sort((one, other) => one.time - other.time);
  }

  told({ qd, scene }) {
    this.heardAt = Date.now();
    if (scene) this.scene = scene.title;
    this.isSeen = qd.confidence > 0 || this.points.length === 0;
    const point = { ...qd, time: Date.parse(qd.at), scene: scene?.title ?? null };
    // Before the first packet nothing is measured; the end is told with the score that was told last.
    if (qd.attention === null || point.time <= (this.last?.time ?? -Infinity)) return;
    const previous = this.last?.time ?? this.startedAt;
    this.points.push(point);
    if (previous !== null && point.time - previous > HOLE_MS) this.widen(previous, point.time);
  }

  // What lies between two moments is not known yet.
  widen(from, to) {
    this.hole = { from: Math.min(from, this.hole?.from ?? from), to: Math.max(to, this.hole?.to ?? to) };
  }

  fill(points, { from, to, width }) {
    // A bucket with a score that was told is told already.
    const told = new Set(this.points.map(({ time }) => Math.floor((time - from) / width)));
    const found = points
      // The mean is rounded; of a single score there is the score itself.
      .map(({ at, score, low, high }) => ({ time: Date.parse(at), score: low === high ? low : score }))
      .filter(({ time }) => !told.has(Math.round((time - from) / width)));
    const kept = this.between.filter(({ time }) => time < from || time >= to);
    this.between = [...kept, ...found].sort((one, other) => one.time - other.time);
  }
}

export class Showroom extends Store {
  name = "PerceptionScores";
  visits = new Map();
  earlier = [];
  isLoaded = false;
  isOver = false;

  async load() {
    const running = await ask("PerceptionSessions", { first: MOST_RUNNING, filter: { statuses: ["RUNNING"] } });
    const ended = await ask("PerceptionSessions", {
      first: MOST_EARLIER,
      filter: { statuses: ["COMPLETED", "STOPPED"] },
    });
    const now = running.perceptionSessions.edges.map(({ node }) => node);
    this.earlier = ended.perceptionSessions.edges.map(({ node }) => new Visit(node));
    // Whatever was running when the page was last told, and runs no more, is looked at again too.
    const gone = [...this.visits.values()].filter(({ id, isRunning }) => isRunning && !now.some((each) => each.id === id));
    for (const session of now) this.#visit(session).update(session);
    for (const visit of [...now.map(({ id }) => this.visits.get(id)), ...gone]) {
      visit.widen(visit.last?.time ?? visit.startedAt, Date.now() + HOLE_MS);
      this.#fill(visit);
    }
    this.isLoaded = true;
    this.changed();
    return running.eventCursor;
  }

  told({ session, scene, qd, skipped }) {
    const visit = this.#visit(session);
    const wasRunning = visit.isRunning;
    const previous = visit.last?.time ?? visit.startedAt;
    visit.update(session);
    visit.told({ scene, qd });
    if (skipped > 0 && previous !== null && visit.last) visit.widen(previous, visit.last.time);
    if (wasRunning && !visit.isRunning) this.#ended(visit);
    this.#fill(visit);
    this.changed();
  }

  get shown() {
    return [...this.visits.values()].sort(
      (one, other) => other.isRunning - one.isRunning || (one.startedAt ?? Infinity) - (other.startedAt ?? Infinity),
    );
  }

  // The name behind a node that is a visit on this page; null for anything else.
  whose(node) {
    const visit = node && (this.visits.get(node.id) ?? this.earlier.find(({ id }) => id === node.id));
    return visit ? who(visit.person) : null;
  }

  #visit(session) {
    let visit = this.visits.get(session.id);
    if (!visit) {
      visit = new Visit(session);
      this.visits.set(session.id, visit);
      if (visit.startedAt === null) this.#read(visit);
    }
    return visit;
  }

  #ended(visit) {
    this.#read(visit, true);
    const ended = [...this.visits.values()].filter(({ isRunning }) => !isRunning);
    for (const old of ended.slice(0, -MOST_ENDED)) {
      this.visits.delete(old.id);
      this.earlier = [old, ...this.earlier.filter(({ id }) => id !== old.id)].slice(0, MOST_EARLIER);
    }
  }

  // Reads what the events do not tell: where it is, when it began and ended, and what it came to.
  async #read(visit, hasEnded = false) {
    const now = Date.now();
    await this.#session(visit, { from: now, to: now + 1, points: 1 });
    const [first] = visit.points;
    if (first && visit.startedAt !== null) {
      if (first.time - visit.startedAt > HOLE_MS) visit.widen(visit.startedAt, first.time);
      // Of a visit that is over every score is wanted, not only the last of each batch.
      if (hasEnded) visit.widen(Math.min(first.time, visit.startedAt), Math.max(visit.last.time, visit.endedAt ?? 0));
    }
    this.#fill(visit);
  }

  async #fill(visit) {
    if (visit.isFilling) return;
    visit.isFilling = true;
    while (visit.hole) {
      const { from, to } = visit.hole;
      visit.hole = null;
      const buckets = Math.max(1, Math.ceil((to - from) / BUCKET_MS));
      const questions = Math.min(MOST_QUESTIONS, Math.ceil(buckets / MOST_BUCKETS));
      const points = Math.min(MOST_BUCKETS, buckets);
      const width = Math.max(BUCKET_MS, Math.ceil((to - from) / (questions * points)));
      for (let start = from; start < to; start += width * points) {
        const range = { from: start, to: start + width * points, points };
        const session = await this.#session(visit, range);
        if (session) visit.fill(session.qdSeries.points, { ...range, width });
      }
    }
    visit.isFilling = false;
    this.changed();
  }

  // Asks until it is answered; null where there is no such session any more.
  async #session(visit, { from, to, points }) {
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), points };
    while (!this.isOver) {
      try {
        const { perceptionSession } = await ask("PerceptionSession", { id: visit.id, ...range });
        if (perceptionSession) visit.update(perceptionSession);
        this.changed();
        return perceptionSession;
      } catch {
        await pause(AGAIN_MS);
      }
    }
    return null;
  }
}
