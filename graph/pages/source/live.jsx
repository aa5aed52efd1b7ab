// The page at /live: a sign-in form, then what happens now.
import { useEffect, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import "./live.css";
import { Activity, Canvases, Notifications } from "./live/feeds.js";
import { Following } from "./live/following.js";
import { ActivityPanel, CanvasPanel, EarlierVisits, NotificationPanel } from "./live/panels.jsx";
import { Showroom } from "./live/showroom.js";
import { useStore } from "./live/store.js";
import { VisitCard } from "./live/visit.jsx";
import { moment } from "./live/words.js";
import { ROLES } from "./roles.js";
import { current, signOut, subscribe } from "./session.js";
import { SignIn } from "./sign-in.jsx";

const PHASES = {
  connecting: "Connecting…",
  live: "Live",
  away: "Disconnected. Trying again…",
  resuming: "Resuming: catching up with what was missed…",
};

function Connection({ following }) {
  useStore(following);
  const { phase, since, resumed, loadedAnew } = following;
  const isBack = phase === "live" && resumed > 0;
  const how = loadedAnew > 0 ? "loaded anew" : "nothing was missed";
  return (
    <p className={`connection ${phase}`} role="status" data-phase={phase} data-resumed={resumed}>
      <i aria-hidden="true" />
      {PHASES[phase]}
      {isBack ? <span className="quiet"> · back since {moment(since)}, {how}</span> : null}
    </p>
  );
}

function Account({ viewer }) {
  return (
    <div className="account">
      <span className="quiet">
        {viewer.fullName} · {ROLES[viewer.role] ?? viewer.role} · {viewer.tenant.name}
      </span>
      <a href="/graphiql">GraphiQL</a>
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}

function Nobody() {
  return (
    <div className="nobody">
      <h3>Nobody is in the showroom</h3>
      <p>A visit appears here as soon as its first packet is scored. To see one now, play two for a minute:</p>
      <pre>
        <code>.venv/bin/velocity demo-session --sessions 2</code>
      </pre>
      <p>
        The faces are generated; nobody is filmed. With a camera and the visitor&apos;s consent, run <code>velocity perceive</code>{" "}
        beside it.
      </p>
    </div>
  );
}

function Visits({ showroom }) {
  const version = useStore(showroom);
  const { shown } = showroom;
  const running = shown.filter(({ isRunning }) => isRunning).length;
  return (
    <section className="showroom" aria-label="In the showroom">
      <h2>
        In the showroom <span className="count">{running}</span>
      </h2>
      {shown.length === 0 && showroom.isLoaded ? <Nobody /> : null}
      <div className="visits">
        {shown.map((visit) => (
          <VisitCard key={visit.id} visit={visit} version={version} />
        ))}
      </div>
      <EarlierVisits visits={showroom.earlier} />
    </section>
  );
}

function begin() {
  const made = {
    following: new Following(),
    showroom: new Showroom(),
    notifications: new Notifications(),
    canvases: new Canvases(),
    activity: new Activity(),
  };
  for (const feed of [made.showroom, made.notifications, made.canvases, made.activity]) made.following.follow(feed);
  return made;
}

function Dashboard({ viewer }) {
  const [made, make] = useState(null);
  useEffect(() => {
    const begun = begin();
    make(begun);
    return () => {
      begun.showroom.isOver = true;
      begun.following.end();
    };
  }, []);
  if (!made) return null;
  return (
    <div className="dashboard">
      <header>
        <h1>
          Velocity <span>Live</span>
        </h1>
        <Connection following={made.following} />
        <Account viewer={viewer} />
      </header>
      <main>
        <Visits showroom={made.showroom} />
        <aside aria-label="News">
          <NotificationPanel store={made.notifications} showroom={made.showroom} />
          <CanvasPanel store={made.canvases} />
          <ActivityPanel store={made.activity} />
        </aside>
      </main>
    </div>
  );
}

function Page() {
  const session = useSyncExternalStore(subscribe, current);
  if (!session) return <SignIn purpose="Sign in to see what happens now." />;
  return <Dashboard key={session.viewer.id} viewer={session.viewer} />;
}

createRoot(document.getElementById("page")).render(<Page />);
