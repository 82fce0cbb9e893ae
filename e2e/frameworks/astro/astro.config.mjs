import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "middleware" }),
  // An identity provider posts a form without an Origin; Pawl checks by itself what comes with a session.
  security: { checkOrigin: false },
});
