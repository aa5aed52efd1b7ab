// Follows the server: one socket for all that is followed, and each goes on behind the last cursor that it was told.
import { createClient } from "graphql-ws/client";
import operations from "velocity:operations";
import { accessToken, forget, send } from "../session.js";
import { Store } from "./store.js";

const KEEP_ALIVE_MS = 10_000;
const PONG_MS = 5_000;
const SHORTEST_MS = 250;
const LONGEST_MS = 5_000;
// So long nothing was told: what was missed has been told.
const QUIET_MS = 600;
const SESSION_ENDED = 4401;
const TOKEN_REFUSED = 4403;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
// Longer each time and never in step with other pages, but never long: people look at this page.
const wait = (tries) => pause(Math.min(LONGEST_MS, SHORTEST_MS * 2 ** tries) * (0.5 + Math.random() / 2));

// The server answered with errors.
class Refused extends Error {
  constructor(errors) {
    super(errors[0].message);
    this.codes = errors.map(({ extensions }) => extensions?.code);
  }
}

// Asks a query and returns its data.
export async function ask(name, variables) {
  const { data, errors } = await send({ query: operations[name], operationName: name, variables });
  if (errors) throw new Refused(errors);
  return data;
}

// `phase` is "connecting", "live", "away" (nobody answers) or "resuming" (what was missed is being told).
export class Following extends Store {
  phase = "connecting";
  since = Date.now();
  // How often the connection came back, and how often a feed had to be loaded anew because its cursor had expired.
  resumed = 0;
  loadedAnew = 0;
  #feeds = [];
  #ended = false;
  #isOpen = false;
  #tokenRefused = false;
  #pong = null;
  #quiet = null;
  #beats = 0;

  constructor() {
    super();
    this.client = createClient({
      url: Object.assign(new URL("/graphql", location), { protocol: location.protocol.replace("http", "ws") }).href,
      connectionParams: async () => {
        const isRefused = this.#tokenRefused;
        this.#tokenRefused = false;
        return { authorization: `Bearer ${await accessToken(isRefused)}` };
      },
      keepAlive: KEEP_ALIVE_MS,
      retryAttempts: Infinity,
      retryWait: wait,
      shouldRetry: () => !this.#ended,
      on: {
        connected: (_socket, _payload, isRetry) => this.#connected(isRetry),
        closed: ({ code }) => this.#closed(code),
        ping: (isReceived, payload) => (isReceived ? this.#beat(payload?.cursor) : this.#expectPong()),
        pong: (isReceived) => isReceived && clearTimeout(this.#pong),
      },
    });
  }

  // Loads a feed, then follows it until the page ends. A feed has `name` (a subscription), `load()`, which returns
  // the cursor of what it has read, and `told(event)`.
  async follow(feed) {
    const followed = { feed, cursor: null, since: Infinity };
    this.#feeds.push(followed);
    for (let tries = 0; !this.#ended; tries += 1) {
      try {
        followed.cursor ??= await feed.load();
        if (this.#ended) return;
        await this.#subscribed(followed, () => (tries = 0));
      } catch (error) {
        if (error.code === SESSION_ENDED || error.codes?.includes("UNAUTHENTICATED")) return forget();
        // What this page stands behind is no longer kept: what is there now is read again.
        if (error.codes?.includes("CURSOR_EXPIRED")) {
          followed.cursor = null;
          this.loadedAnew += 1;
          continue;
        }
        if (!this.#ended) this.#become("away");
      }
      await wait(tries);
    }
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#pong);
    clearTimeout(this.#quiet);
    for (const { stop } of this.#feeds) stop?.();
  }

  // Resolves when the server ends the subscription, and rejects when it refuses it.
  #subscribed(followed, onTold) {
    const { feed } = followed;
    const variables = {
      // The client writes the message anew whenever it has connected again.
      get after() {
        return followed.cursor;
      },
    };
    const told = (event) => {
      followed.cursor = event.cursor;
      onTold();
      feed.told(event);
      if (this.phase === "resuming") this.#expectQuiet();
    };
    return new Promise((resolve, reject) => {
      followed.since = this.#beats;
      if (this.#isOpen && this.phase === "away") this.#resume();
      followed.stop = this.client.subscribe(
        { query: operations[feed.name], operationName: feed.name, variables },
        {
          next: ({ data, errors }) => (errors ? reject(new Refused(errors)) : told(Object.values(data)[0])),
          error: (error) => reject(Array.isArray(error) ? new Refused(error) : error),
          complete: resolve,
        },
      );
    }).finally(() => {
      followed.since = Infinity;
      followed.stop();
    });
  }

  #connected(isRetry) {
    for (const followed of this.#feeds) if (followed.since !== Infinity) followed.since = this.#beats;
    this.#isOpen = true;
    if (!isRetry) return this.#become("live");
    this.resumed += 1;
    this.#resume();
  }

  #closed(code) {
    clearTimeout(this.#pong);
    this.#isOpen = false;
    if (code === TOKEN_REFUSED) this.#tokenRefused = true;
    if (!this.#ended) this.#become("away");
  }

  // Everything up to this cursor was told on the socket. That holds for a feed if the server knew of it when it wrote
  // this, which is certain from the second beat on: the first may have crossed the subscription.
  #beat(cursor) {
    for (const followed of this.#feeds) if (cursor && followed.since < this.#beats) followed.cursor = cursor;
    this.#beats += 1;
  }

  #expectPong() {
    clearTimeout(this.#pong);
    // A tablet that slept has a socket that looks open and is not.
    this.#pong = setTimeout(() => this.client.terminate(), PONG_MS);
  }

  #resume() {
    this.#become("resuming");
    this.#expectQuiet();
  }

  #expectQuiet() {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.phase === "resuming" && this.#become("live"), QUIET_MS);
  }

  #become(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.since = Date.now();
    this.changed();
  }
}
