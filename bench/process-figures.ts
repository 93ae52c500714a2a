/** What Linux says of a process: its CPU time and its memory. Other systems have no /proc: there the figures are null. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: what the times in /proc/<pid>/stat are counted in; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const isLinux = process.platform === "linux";

/** CPU seconds that a process has used so far. Null where that cannot be known. */
export function cpuSeconds(pid: number): number | null {
  const times = isLinux ? timesOf(pid) : null;
  return times && times.own / TICKS_PER_SECOND;
}

/** CPU seconds of a process and of all its children, those that have ended included. */
export function cpuSecondsOfFamily(pid: number): number | null {
  const times = isLinux ? timesOf(pid) : null;
  if (times === null) return null;
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((child) => child?.parent === pid);
  const ticks = children.reduce((sum, child) => sum + (child?.own ?? 0), times.own + times.endedChildren);
  return ticks / TICKS_PER_SECOND;
}

/** What was used between two readings, to a hundredth. */
export function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : Number((after - before).toFixed(2));
}

/** The most memory that a process has had resident since its start, in MB of 10^6 bytes. */
export function peakRssMb(pid: number): number | null {
  const kib = isLinux ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] : undefined;
  return kib === undefined ? null : (Number(kib) * 1_024) / 1e6;
}

interface Times {
  parent: number;
  own: number;
  endedChildren: number;
}

function timesOf(pid: number): Times | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null; // it has ended meanwhile
  }
  // The second field is the name in brackets, which may hold anything; counted from behind it.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const at = (index: number) => fields[index] ?? 0;
  return { parent: at(1), own: at(11) + at(12), endedChildren: at(13) + at(14) };
}
