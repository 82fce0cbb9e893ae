const root = new URL("../../..", import.meta.url).pathname;

/** @type {import("next").NextConfig} */
export default {
  output: "standalone",
  outputFileTracingRoot: root,
  turbopack: { root },
};
