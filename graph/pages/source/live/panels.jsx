// What stands beside the visits: notifications, canvases, the activity feed, and earlier visits.
import { useEffect, useState } from "react";
import "./panels.css";
import { useStore } from "./store.js";
import { Source } from "./visit.jsx";
import { ago, clock, moment, who, whole } from "./words.js";

const MINUTE_MS = 60_000;

function useMinutes() {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((count) => count + 1), MINUTE_MS / 2);
    return () => clearInterval(timer);
  }, []);
}

function When({ at }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={moment(at)}>
      {ago(at)}
    </time>
  );
}

function Panel({ title, store, empty, action, children }) {
  useStore(store);
  useMinutes();
  return (
    <section className="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {action}
      </header>
      {store.items.length === 0 && store.isLoaded ? <p className="empty">{empty}</p> : null}
      <ol>{store.items.map(children)}</ol>
    </section>
  );
}

const MARKS = { QD_SPIKE: "▲", SESSION_COMPLETE: "✓", LEAD_TAGGED: "#", TASK_DUE: "!" };
const KINDS = { QD_SPIKE: "QD spike", SESSION_COMPLETE: "Session complete", LEAD_TAGGED: "Lead tagged", TASK_DUE: "Task due" };

export function NotificationPanel({ store, showroom }) {
  useStore(store);
  useStore(showroom);
  const unread = store.unread.length;
  const action = unread > 0 && (
    <button type="button" onClick={() => store.markRead()}>
      Mark {unread} as read
    </button>
  );
  return (
    <Panel title="Notifications" store={store} empty="Nothing to look at." action={action}>
      {({ id, kind, title, body, rule, subject, at, readAt, isNew }) => (
        <li key={id} className={`${readAt ? "read" : "unread"} ${isNew ? "new" : ""}`} title={rule}>
          <span className={`mark ${kind.toLowerCase()}`} role="img" aria-label={KINDS[kind] ?? kind}>
            {MARKS[kind] ?? "•"}
          </span>
          <p>
            <b>{title}</b>
            {showroom.whose(subject) ? <span className="more">{showroom.whose(subject)}</span> : null}
            {body ? <span className="more">{body}</span> : null}
          </p>
          <When at={at} />
        </li>
      )}
    </Panel>
  );
}

export function CanvasPanel({ store }) {
  return (
    <Panel title="Canvases" store={store} empty="No canvas has changed.">
      {({ id, title, summary, by, message, changes, at, isNew }) => (
        <li key={id} className={isNew ? "new" : ""}>
          <p>
            <b>{title}</b>
            <span className="more">
              {[summary, by, changes > 0 && `${changes} ${changes === 1 ? "change" : "changes"}`].filter(Boolean).join(" · ")}
            </span>
            {message ? <span className="more said">“{message}”</span> : null}
          </p>
          <When at={at} />
        </li>
      )}
    </Panel>
  );
}

export function ActivityPanel({ store }) {
  return (
    <Panel title="Activity" store={store} empty="Nothing has happened.">
      {({ id, summary, actor, at, isNew }) => (
        <li key={id} className={isNew ? "new" : ""}>
          <p>
            {summary}
            {actor ? <span className="more">{actor.displayName}</span> : null}
          </p>
          <When at={at} />
        </li>
      )}
    </Panel>
  );
}

export function EarlierVisits({ visits }) {
  useMinutes();
  if (visits.length === 0) return null;
  return (
    <section className="earlier" aria-label="Earlier visits">
      <h2>Earlier visits</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Began</th>
            <th scope="col">Length</th>
            <th scope="col">QD of the visit</th>
          </tr>
        </thead>
        <tbody>
          {visits.map((visit) => (
            <tr key={visit.id}>
              <td>{who(visit.person)}</td>
              <td>{visit.startedAt ? <When at={visit.startedAt} /> : "–"}</td>
              <td>{visit.endedAt ? clock((visit.endedAt - visit.startedAt) / 1000) : "–"}</td>
              <td>
                {visit.finalQd ? (
                  <>
                    <b>{whole(visit.finalQd.score)}</b> <Source source={visit.finalQd.source} kind="SESSION" />
                  </>
                ) : (
                  "–"
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
