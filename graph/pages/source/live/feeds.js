// Lists of news, newest first: your notifications, what happened to canvases, and with people and leads.
import { ask } from "./following.js";
import { Store } from "./store.js";

const MOST = 40;
const FIRST = 12;

class Feed extends Store {
  items = [];
  isLoaded = false;

  begin(items) {
    const kept = this.items.filter(({ id }) => !items.some((each) => each.id === id));
    this.items = [...kept, ...items].sort((one, other) => other.at - one.at).slice(0, MOST);
    this.isLoaded = true;
    this.changed();
  }

  put(item) {
    this.items = [item, ...this.items.filter(({ id }) => id !== item.id)].slice(0, MOST);
    this.changed();
  }
}

const moment = (item) => ({ ...item, at: Date.parse(item.at) });

export class Notifications extends Feed {
  name = "Notifications";

  async load() {
    const { eventCursor, notifications } = await ask("NotificationInbox", { first: FIRST });
    this.begin(notifications.edges.map(({ node }) => moment(node)));
    return eventCursor;
  }

  told({ notification }) {
    this.put({ ...moment(notification), isNew: true });
  }

  get unread() {
    return this.items.filter(({ readAt }) => !readAt);
  }

  async markRead() {
    const { notificationsMarkRead } = await ask("NotificationsMarkRead", { ids: this.unread.map(({ id }) => id) });
    for (const { id, readAt } of notificationsMarkRead.notifications ?? [])
      this.items = this.items.map((item) => (item.id === id ? { ...item, readAt } : item));
    this.changed();
  }
}

export class Activity extends Feed {
  name = "CrmActivity";

  async load() {
    const { eventCursor, activity } = await ask("Activity", { first: FIRST });
    this.begin(activity.edges.map(({ node }) => moment(node)));
    return eventCursor;
  }

  told({ entry }) {
    this.put({ ...moment(entry), isNew: true });
  }
}

const REQUESTS = { OPEN: "waits for reviews", APPROVED: "approved", REJECTED: "rejected", MERGED: "merged", CLOSED: "closed" };
const MADE = { COMMIT: "Revision", MERGE: "Merged as revision", ROLLBACK: "Rolled back as revision", FORK: "Branched off as revision" };

function summary({ kind, revision, mergeRequest }) {
  switch (kind) {
    case "REVISION":
      return `${MADE[revision?.kind] ?? "Revision"} ${revision?.number ?? ""}`.trim();
    case "RENAMED":
      return "Renamed";
    case "SHARED":
      return "Shared, or no longer";
    case "ARCHIVED":
      return "Archived, or back";
    default:
      return `Merge request ${REQUESTS[mergeRequest?.status] ?? ""}`.trim();
  }
}

export class Canvases extends Feed {
  name = "CanvasUpdates";

  async load() {
    // The list of canvases tells no position, so the position is taken first: what happens between is told again.
    const { eventCursor } = await ask("Activity", { first: 1 });
    const { canvases } = await ask("Canvases", { first: FIRST, filter: { archived: false } });
    this.begin(
      canvases.edges.map(({ node: { title, owner, head } }) => ({
        id: head.id,
        at: Date.parse(head.createdAt),
        title,
        summary: `Revision ${head.number}`,
        by: owner.fullName,
        message: null,
      })),
    );
    return eventCursor;
  }

  told(update) {
    const { kind, canvas, revision, mergeRequest, cursor } = update;
    this.put({
      id: kind === "REVISION" && revision ? revision.id : cursor,
      // Events of canvases bring no time: it is when the page heard of them.
      at: Date.now(),
      title: canvas.title,
      summary: summary({ kind, revision, mergeRequest }),
      by: revision?.author?.displayName ?? null,
      message: revision?.message ?? null,
      changes: revision?.changes.length ?? 0,
      isNew: true,
    });
  }
}
