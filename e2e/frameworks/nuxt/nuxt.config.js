export default defineNuxtConfig({
  compatibilityDate: "2026-01-01",
  telemetry: false,
  // Vue chooses its files by NODE_ENV when it runs, which is "test" here; a build traces those for production.
  nitro: { preset: "node-listener", externals: { inline: ["vue", "@vue"] } },
});
