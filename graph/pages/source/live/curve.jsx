// The curve of a visit, drawn by uPlot: QD by its source, the confidence below it, and the scenes behind it.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, whole } from "./words.js";

const HEIGHT = 180;
// The shortest and the longest stretch of time that is shown, in seconds.
const SHORTEST = 40;
const LONGEST = 600;
// Two scores that are further apart are joined by no line: nobody was there.
const BREAK = 3;
const HOLE = 1.5;
const LINES = [
  { source: "RULES", label: "QD by rules", colour: "--rules", width: 2 },
  { source: "MODEL", label: "QD by a model", colour: "--model", width: 2, dash: [6, 4] },
  { source: "IMPORTED", label: "QD imported", colour: "--imported", width: 2, dash: [2, 3] },
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

// Columns as uPlot takes them: seconds, confidence, and a line for each source.
function columns(visit) {
  const all = visit.scores;
  const start = visit.startedAt ?? all[0]?.time ?? 0;
  const table = [[], [], ...LINES.map(() => [])];
  const add = (...row) => row.forEach((value, index) => table[index].push(value));
  let previous = null;
  for (const { time, source, score, confidence, isTold } of all) {
    const second = (time - start) / 1000;
    // What is null breaks a line; what is undefined, as the confidence of the history, does not.
    if (previous !== null && second - previous > BREAK) add(previous + 0.001, null, ...LINES.map(() => null));
    add(second, isTold ? confidence : undefined, ...LINES.map((line) => (line.source === source ? score : undefined)));
    previous = second;
  }
  return table;
}

// The scenes in the order in which they were shown: { title, from, to } in seconds.
function scenes(visit) {
  const runs = [];
  for (const { time, scene } of visit.points) {
    const second = (time - visit.startedAt) / 1000;
    const last = runs.at(-1);
    // Over a hole, such as the server's absence, nobody told what was shown.
    const goesOn = last && second - last.to <= HOLE;
    if (goesOn) last.to = second;
    if (!goesOn || last.title !== scene) runs.push({ title: scene, from: second, to: second });
  }
  return runs;
}

// As much of a title as fits; nothing where that is hardly a letter.
function fitted(ctx, title, width) {
  if (ctx.measureText(title).width <= width) return title;
  for (let length = title.length - 1; length > 2; length -= 1) {
    const words = `${title.slice(0, length).trimEnd()}…`;
    if (ctx.measureText(words).width <= width) return words;
  }
  return "";
}

function drawScenes(plot, runs) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  runs.forEach(({ title, from, to }, index) => {
    const left = plot.valToPos(from, "x", true);
    const width = plot.valToPos(to, "x", true) - left;
    if (index % 2 === 0) {
      ctx.fillStyle = colour("--scene");
      ctx.fillRect(left, bbox.top, width, bbox.height);
    }
    ctx.fillStyle = colour("--quiet");
    const words = fitted(ctx, title ?? "", width - 8 * devicePixelRatio);
    ctx.fillText(words, left + 4 * devicePixelRatio, bbox.top + 3 * devicePixelRatio);
  });
  ctx.restore();
}

const stretch = (_plot, low, high) => [Math.max(Math.min(0, low ?? 0), (high ?? 0) - LONGEST), Math.max(SHORTEST, high ?? 0)];

function options(width, visit) {
  const axis = { stroke: () => colour("--quiet"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: () => colour("--line"), width: 1 };
  return {
    width,
    height: HEIGHT,
    padding: [6, 6, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 7 } },
    legend: { show: false },
    scales: {
      x: { time: false, range: stretch },
      qd: { range: [0, 100] },
      // The confidence has the lowest fifth of the picture.
      sure: { range: [0, 5] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, space: 70, values: (_plot, seconds) => seconds.map(clock) },
      { ...axis, grid, scale: "qd", size: 30, splits: () => [0, 25, 50, 75, 100] },
      { ...axis, grid: { show: false }, scale: "sure", side: 1, size: 38, splits: () => [0, 1], values: () => ["0 %", "100 %"] },
    ],
    series: [
      {},
      {
        label: "Confidence",
        scale: "sure",
        stroke: () => colour("--sure"),
        fill: () => `color-mix(in srgb, ${colour("--sure")} 25%, transparent)`,
        width: 1,
        points: { show: false },
      },
      ...LINES.map(({ label, colour: name, width: stroke, dash }) => ({
        label,
        scale: "qd",
        stroke: () => colour(name),
        width: stroke,
        dash,
        points: { show: false },
      })),
    ],
    hooks: { drawClear: [(plot) => drawScenes(plot, scenes(visit))] },
  };
}

function described(visit) {
  const scores = visit.points.map(({ score }) => score);
  if (scores.length === 0) return "QD curve: no score yet";
  const seconds = (visit.last.time - (visit.startedAt ?? visit.points[0].time)) / 1000;
  return (
    `QD curve of ${clock(seconds)} minutes: now ${whole(scores.at(-1))},` +
    ` lowest ${whole(Math.min(...scores))}, highest ${whole(Math.max(...scores))}`
  );
}

export function Curve({ visit, version }) {
  const place = useRef(null);
  const plot = useRef(null);

  useEffect(() => {
    const made = new uPlot(options(place.current.clientWidth, visit), columns(visit), place.current);
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    fit.observe(place.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw();
    dark.addEventListener("change", redraw);
    return () => {
      fit.disconnect();
      dark.removeEventListener("change", redraw);
      made.destroy();
    };
  }, [visit]);

  useEffect(() => plot.current.setData(columns(visit)), [visit, version]);

  return <div className="curve" role="img" aria-label={described(visit)} ref={place} />;
}
