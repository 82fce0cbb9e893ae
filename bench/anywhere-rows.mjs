import { quotient } from "./contest.mjs";
import { ratioAtMost } from "./goals.mjs";
import { installPackageOf } from "../scripts/run.mjs";

const runtimes = { node: "Node.js", deno: "Deno", bun: "Bun", workerd: "workerd", chromium: "Chromium" };
const ways = {
  first: "@pawl/verify, tokens not seen before",
  seen: "@pawl/verify, tokens seen before",
  jose: "jose 6 jwtVerify",
};

const nameOf = (/** @type {string} */ title, /** @type {string} */ way) => `${title}: ${way}`;

/** @type {import("./rows.mjs").Row} */
const verifyAnywhere = {
  name: "verify-anywhere",
  title: "verify an ES256 access token with WebCrypto alone, in every runtime",
  ours: nameOf(runtimes.node, ways.first),
  contenders: () => {
    installPackageOf("e2e/runtimes");
    return Object.entries(runtimes).flatMap(([runtime, title]) =>
      Object.entries(ways).map(([way, text]) => ({
        name: nameOf(title, text),
        module: "anywhere",
        opener: "verifyIn",
        settings: { runtime, way },
      })),
    );
  },
  judge: (score) => {
    const cpu = (/** @type {string} */ title, /** @type {string} */ way) => score(nameOf(title, way));
    const besideJose = (/** @type {string} */ way) =>
      Object.values(runtimes).map((title) => ({
        title,
        ratio: quotient(cpu(title, way), cpu(title, ways.jose)),
      }));
    const first = besideJose(ways.first);
    return {
      ratio: /** @type {{ ratio: number }} */ (first[0]).ratio,
      goals: [
        ...first.map(({ title, ratio }) => ratioAtMost(`not seen before, of jose, ${title}`, ratio, 1.25)),
        ...besideJose(ways.seen).map(({ title, ratio }) => ratioAtMost(`seen before, of jose, ${title}`, ratio, 0.1)),
      ],
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const anywhereRows = [verifyAnywhere];
