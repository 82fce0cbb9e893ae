import { median, quotient } from "./contest.mjs";
import { cpuAtMost, ratioAtMost } from "./goals.mjs";

const BARE = "@pawl/engine";
const SILENT = "@pawl/engine with its metrics, no provider";
const BESIDE = "@pawl/engine without its metrics, in a process that OpenTelemetry's SDK traces";
const PROVIDER = "@pawl/engine, OpenTelemetry's SDK takes metrics and 1 % of the traces";
const RECORDED = "@pawl/engine, OpenTelemetry's SDK takes metrics and every trace";

/** @param {string} opener @param {object} settings */
const contenders = (opener, settings) =>
  Object.entries({
    [SILENT]: "silent",
    [BARE]: "none",
    [BESIDE]: "beside",
    [PROVIDER]: "sampled",
    [RECORDED]: "recorded",
  }).map(([name, telemetry]) => ({ name, module: "pawl", opener, settings: { ...settings, telemetry } }));

/** @type {import("./rows.mjs").Row} */
const verification = {
  name: "telemetry-verify",
  title: "verify an access token that was seen before, with metrics",
  ours: SILENT,
  contenders: () => contenders("verifySeen", {}),
  judge: (score) => {
    const added = (/** @type {string} */ name) =>
      median(score(name).rounds.map(({ cpuMicros }, i) => cpuMicros - (score(BARE).rounds[i]?.cpuMicros ?? cpuMicros)));
    return {
      ratio: quotient(score(SILENT), score(BARE)),
      goals: [
        cpuAtMost("adds, without a provider,", added(SILENT), 1),
        cpuAtMost("adds, with a provider,", added(PROVIDER), 1),
      ],
    };
  },
};

/** @type {import("./rows.mjs").Row} */
const refresh = {
  name: "telemetry-refresh",
  title: "refresh a session in process, durable on SQLite, with metrics and traces",
  ours: SILENT,
  contenders: (directory) => contenders("refreshSessions", { directory, sessions: 5000 }),
  judge: (score) => {
    const ratio = quotient(score(SILENT), score(BARE));
    return {
      ratio,
      goals: [
        ratioAtMost("without a provider, of the same without metrics", ratio, 1.03),
        ratioAtMost("with a provider, of the same beside it", quotient(score(PROVIDER), score(BESIDE)), 1.03),
      ],
      notes: [
        `with every trace recorded ${quotient(score(RECORDED), score(BESIDE)).toFixed(3)} ×`,
        `to be in a process that is traced takes ${quotient(score(BESIDE), score(BARE)).toFixed(3)} × in itself`,
      ],
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const telemetryRows = [verification, refresh];
