import { spawn } from "node:child_process";

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} parameters
 * @returns {Promise<{ output: string, cpuMicros: number }>} what it said, and the CPU time it took
 */
export const runTimed = (program, parameters) =>
  new Promise((resolve, reject) => {
    // The shell's `times` tells what its children took, after what it took itself.
    const child = spawn("bash", ["-c", '"$0" "$@" && times', program, ...parameters], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) return reject(new Error(`${program} ended with ${code}: ${output.slice(-800)}`));
      const children = [...output.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
      const seconds = children.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
      resolve({ output, cpuMicros: seconds * 1e6 });
    });
  });
