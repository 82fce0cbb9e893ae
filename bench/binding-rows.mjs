import { quotient } from "./contest.mjs";
import { ratioAtMost } from "./goals.mjs";

const PROCESSES = 2;
const [LOGIN_OFFERED, LOGIN] = ['a login with deviceBinding "prefer"', 'a login with deviceBinding "off"'];

/** @type {import("./rows.mjs").Row} */
const loginBindable = {
  name: "login-bindable-sqlite",
  title: "log in, in process, durable on SQLite, 32 in flight, with and without asking for a key of the device",
  ours: LOGIN_OFFERED,
  contenders: (directory) => [
    {
      name: LOGIN_OFFERED,
      module: "pawl-bound",
      opener: "logIn",
      processes: PROCESSES,
      settings: { directory, deviceBinding: "prefer" },
    },
    {
      name: LOGIN,
      module: "pawl-bound",
      opener: "logIn",
      processes: PROCESSES,
      settings: { directory, deviceBinding: "off" },
    },
  ],
  judge: (score) => {
    const ratio = quotient(score(LOGIN_OFFERED), score(LOGIN));
    return {
      ratio,
      goals: [ratioAtMost("of a login without", ratio, 1.15)],
      notes: ["asks its store the same for both, which was counted"],
    };
  },
};

const BOUND = "a refresh of a bound session";
const PLAIN = "a refresh of a session that is not bound";
const LEAST = "the same, a read of the row and a bare ES256 verification beside";

/** @type {import("./rows.mjs").Row} */
const refreshBound = {
  name: "refresh-bound-sqlite",
  title: "refresh a bound session in process, durable on SQLite, 32 in flight, every one a rotation with a proof",
  ours: BOUND,
  contenders: (directory) => {
    const settings = { directory, sessions: 2000 };
    const refresh = { module: "pawl-bound", opener: "refresh" };
    return [
      { ...refresh, name: BOUND, settings: { ...settings, isBound: true } },
      { ...refresh, name: PLAIN, settings: { ...settings, isBound: false } },
      { ...refresh, name: LEAST, settings: { ...settings, isBound: false, least: true } },
    ];
  },
  judge: (score) => ({
    ratio: quotient(score(BOUND), score(PLAIN)),
    goals: [ratioAtMost("of the read and the signature check beside", quotient(score(BOUND), score(LEAST)), 1.25)],
    notes: [
      "asks its store once more for a bound one (`getSession`, then `rotate`), which was counted",
      "keeps the last 2,048 to 4,096 keys imported; importing one takes as long as the signature check",
    ],
  }),
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const bindingRows = [loginBindable, refreshBound];
