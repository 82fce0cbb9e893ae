import { readdirSync, readFileSync } from "node:fs";

/** Ticks per second of CPU times in `/proc` (proc(5)), on every Linux that Node.js runs on. */
const TICKS = 100;

/** @returns {Map<number, { parent: number, ticks: number }>} what runs now, with the CPU time that ended children took */
const processes = () => {
  const found = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      // The name of the program, in brackets, may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      found.set(Number(name), { parent: Number(fields[1]), ticks });
    } catch {
      // It has just ended.
    }
  }
  return found;
};

/** CPU time in microseconds, user and system, of all that this process has started and that still runs, and of what they started. */
export const cpuOfDescendants = () => {
  const all = processes();
  const isOurs = (/** @type {number | undefined} */ id) => {
    for (let at = id; at !== undefined; at = all.get(at)?.parent) if (at === process.pid) return true;
    return false;
  };
  const ticks = [...all.values()].reduce((sum, { parent, ticks: own }) => sum + (isOurs(parent) ? own : 0), 0);
  return (ticks / TICKS) * 1e6;
};
