// One visit: who, how it stands now, its curve, and its numbers as a table.
import { useEffect, useState } from "react";
import { Curve } from "./curve.jsx";
import "./visit.css";
import { KINDS, SOURCES, SURFACES, clock, moment, percent, who, whole } from "./words.js";

// A sender that has told nothing for so long is probably gone.
const SILENT_MS = 10_000;
const SECOND_MS = 1_000;
// The score is compared with the one so long ago.
const TREND_MS = 10_000;
const STEADY = 1.5;

// Draws again every second while something counts up.
function useSeconds(isCounting) {
  const [, again] = useState(0);
  useEffect(() => {
    if (!isCounting) return undefined;
    const timer = setInterval(() => again((count) => count + 1), SECOND_MS);
    return () => clearInterval(timer);
  }, [isCounting]);
}

function Trend({ visit }) {
  const { last, points } = visit;
  const before = points.findLast(({ time }) => time <= last.time - TREND_MS);
  if (!before) return null;
  const change = last.score - before.score;
  if (Math.abs(change) < STEADY) return <span className="trend">steady</span>;
  const word = change > 0 ? "up" : "down";
  return (
    <span className={`trend ${word}`} title="Compared with ten seconds before">
      {change > 0 ? "▲" : "▼"} {whole(Math.abs(change))} <span className="unseen">{word} in ten seconds</span>
    </span>
  );
}

export function Source({ source, kind }) {
  return (
    <span className={`source ${source.toLowerCase()}`} title={`Scored by: ${SOURCES[source]}. Stands for: ${KINDS[kind]}.`}>
      {SOURCES[source]} · {KINDS[kind]}
    </span>
  );
}

function Meter({ name, value, least = 0, shown }) {
  const isKnown = value !== null && value !== undefined;
  const share = isKnown ? (value - least) / (1 - least) : 0;
  // What may be negative begins in the middle.
  const origin = -least / (1 - least);
  const bar = { left: `${Math.min(share, origin) * 100}%`, width: `${Math.abs(share - origin) * 100}%` };
  return (
    <div className="meter">
      <span>{name}</span>
      <div
        role="meter"
        aria-label={name}
        aria-valuemin={least}
        aria-valuemax={1}
        aria-valuenow={isKnown ? value : least}
        aria-valuetext={isKnown ? shown(value) : "unknown"}
        className={least < 0 ? "bar centred" : "bar"}
      >
        {isKnown ? <i style={bar} /> : null}
      </div>
      <b>{isKnown ? shown(value) : "–"}</b>
    </div>
  );
}

const signed = (number) => `${number > 0 ? "+" : number < 0 ? "−" : ""}${Math.abs(number).toFixed(2)}`;

function Now({ visit }) {
  const { last } = visit;
  return (
    <div className="now">
      <div className="score">
        <span className="label">QD</span>
        <output className={last && last.confidence < 0.3 ? "unsure" : ""} aria-label="QD now">
          {last ? whole(last.score) : "–"}
        </output>
        {last ? <Trend visit={visit} /> : null}
        {last ? <Source source={last.source} kind={last.kind} /> : null}
      </div>
      <div className="meters">
        <Meter name="Confidence" value={last?.confidence} shown={percent} />
        <Meter name="Attention" value={last?.attention} shown={percent} />
        <Meter name="Engagement" value={last?.engagement} shown={percent} />
        <Meter name="Valence" value={last?.valence} least={-1} shown={signed} />
      </div>
    </div>
  );
}

function State({ visit }) {
  const silent = Date.now() - visit.heardAt;
  if (visit.status === "STOPPED") return <span className="state stopped">Stopped: the consent has ended</span>;
  if (!visit.isRunning) return <span className="state ended">Ended {visit.endedAt ? moment(visit.endedAt) : ""}</span>;
  if (silent > SILENT_MS) return <span className="state away">Nothing measured for {clock(silent / SECOND_MS)}</span>;
  if (!visit.isSeen) return <span className="state away">No face</span>;
  return <span className="state running">Measuring</span>;
}

// What an ended visit came to, by the rules and by a model where one has looked at it.
function Outcome({ visit }) {
  return (
    <div className="now">
      {[visit.finalQd, visit.refinedQd].filter(Boolean).map(({ score, source }) => (
        <div className="score" key={source}>
          <output aria-label="QD of the visit">{whole(score)}</output>
          <span className="trend">QD of the visit</span>
          <Source source={source} kind="SESSION" />
        </div>
      ))}
    </div>
  );
}

function Legend({ hasModel }) {
  return (
    <div className="legend" aria-hidden="true">
      <span>
        <i className="line" />
        QD by rules
      </span>
      {hasModel ? (
        <span>
          <i className="line model" />
          QD by a model
        </span>
      ) : null}
      <span>
        <i className="area" />
        Confidence
      </span>
    </div>
  );
}

// The values are whole in `value` and `dateTime`; what is read is rounded.
function Numbers({ visit }) {
  const scores = visit.scores.toReversed();
  return (
    <table>
      <thead>
        <tr>
          {["Time", "QD", "Confidence", "Scene", "Scored by", "From"].map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {scores.map(({ at, time, score, confidence, scene, source, isTold }, index) => (
          <tr key={scores.length - index}>
            <td>
              <time dateTime={at ?? new Date(time).toISOString()}>{moment(time)}</time>
            </td>
            <td>
              <data value={score}>{score.toFixed(1)}</data>
            </td>
            <td>{isTold ? <data value={confidence}>{percent(confidence)}</data> : "–"}</td>
            <td>{scene ?? "–"}</td>
            <td>{SOURCES[source]}</td>
            <td>{isTold ? "event" : "history"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function VisitCard({ visit, version }) {
  useSeconds(visit.isRunning);
  const [isOpen, open] = useState(false);
  const name = who(visit.person);
  const until = visit.endedAt ?? Date.now();
  const count = visit.points.length + visit.between.length;
  return (
    <article className={visit.isRunning ? "visit" : "visit over"} aria-label={`Visit of ${name}`} data-session={visit.id}>
      <header>
        <h3>{name}</h3>
        <State visit={visit} />
        <span className="length">{visit.startedAt ? clock((until - visit.startedAt) / SECOND_MS) : ""}</span>
      </header>
      <p className="scene">
        <span className="label">Scene</span> <b>{visit.scene ?? "–"}</b>
        <span className="where">
          {SURFACES[visit.surface] ?? ""}
          {visit.video ? ` · ${visit.video.title}` : ""}
        </span>
      </p>
      {visit.isRunning ? <Now visit={visit} /> : <Outcome visit={visit} />}
      <Curve visit={visit} version={version} />
      <Legend hasModel={visit.points.some(({ source }) => source === "MODEL")} />
      <details onToggle={(event) => open(event.currentTarget.open)}>
        <summary>{`${count} ${count === 1 ? "score" : "scores"}`}</summary>
        {isOpen ? <Numbers visit={visit} /> : null}
      </details>
    </article>
  );
}
