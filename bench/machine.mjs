import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** What git answers, in this folder; nothing where it fails. */
export const git = (/** @type {string[]} */ ...parameters) => {
  try {
    return execFileSync("git", parameters, {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
};

/** Load of the last minute: what others do on this machine, besides what is measured. */
export const loadNow = () => Number(loadavg()[0]?.toFixed(2));

/**
 * What figures depend on.
 * @param {{ driver: string, version: string }} sqlite
 */
export const describeMachine = (sqlite) => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.version,
  sqlite: `${sqlite.version} (${sqlite.driver})`,
  loadAtStart: loadNow(),
  date: new Date().toISOString(),
  commit:
    git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+"),
});

/** @param {Record<string, any>} machine */
export const formatMachine = (machine) => {
  const { cpu, cores, memoryGb, system, node, sqlite, commit, loadAtStart, loadAtEnd } = machine;
  const load = loadAtEnd === undefined ? loadAtStart : `${loadAtStart} to ${loadAtEnd}`;
  return (
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}, SQLite ${sqlite}, commit ${commit}, ` +
    `${momentOf(machine)}, load ${load}`
  );
};

/** When it was measured. @param {Record<string, any>} machine */
export const momentOf = ({ date }) => `${date.slice(0, 16).replace("T", " ")} UTC`;
