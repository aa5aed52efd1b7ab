// How numbers, times and what happened are written.
export const SURFACES = { BROWSER: "Browser", IPAD: "iPad", KIOSK: "Kiosk" };
export const SOURCES = { RULES: "Rules", MODEL: "Model", IMPORTED: "Imported" };
export const KINDS = { LIVE: "live", SESSION: "visit", PROFILE: "profile" };

const DIGITS = { hourCycle: "h23", hour: "2-digit", minute: "2-digit" };
const TIME = new Intl.DateTimeFormat(undefined, { ...DIGITS, second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { ...DIGITS, day: "numeric", month: "short" });
const A_DAY_MS = 24 * 60 * 60 * 1000;

export const whole = (number) => String(Math.round(number));
export const percent = (number) => `${Math.round(number * 100)} %`;

// Seconds as 2:05, or 1:02:05.
export function clock(seconds) {
  const rounded = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rounded % 60)}` : `${minutes}:${two(rounded % 60)}`;
}

// The time of day, and the day where it was another one.
export const moment = (at) => (Date.now() - at < A_DAY_MS ? TIME : DAY).format(at);

// How long ago, roughly.
export function ago(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return DAY.format(at);
}

export const who = (person) => person?.fullName ?? "Visitor without a name";
