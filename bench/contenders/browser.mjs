/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { fileURLToPath } from "node:url";
import { createPawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import { launchChromium } from "@pawl/test-servers/chromium";
import express from "express";
import { listen } from "./listen.mjs";

const BATCH = 100;
const sdk = fileURLToPath(new URL("../../packages/web/dist/", import.meta.url));

/**
 * A page in Chromium that calls an API in this process, one call after the other; with the browser SDK, or with headers of
 * its own. The time of a call is what counts here: the CPU is that of the server.
 * @param {{ sdk: boolean }} settings
 */
export const authenticatedFetch = async (settings) => {
  const pawl = createPawl({ storage: "memory:" });
  const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
  const app = express();
  app.use(routes());
  app.use("/sdk", express.static(sdk));
  app.get("/", (_request, response) => void response.type("html").send("<!doctype html><title>page</title>"));
  app.post("/login", async (request, response) => {
    await createSession(request, response, { userId: "user", payload: { role: "member" } });
    response.json({});
  });
  app.get("/me", requireSession(), (request, response) => {
    response.json({ userId: sessionOf(request).userId });
  });
  app.use(errors());
  const { port, close } = await listen(app);
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/`);
  await page.evaluate(async (withSdk) => {
    if (withSdk) (await import(/** @type {any} */ ("/sdk/index.js"))).init();
    await fetch("/login", { method: "POST" });
  }, settings.sdk);
  /** @type {number[]} */
  const latencies = [];
  return {
    pass: async () => {
      const taken = await page.evaluate(
        async ({ calls, withSdk }) => {
          const options = withSdk ? {} : { headers: { "st-auth-mode": "cookie" } };
          const times = [];
          for (let call = 0; call < calls; call++) {
            const start = performance.now();
            await (await fetch("/me", options)).json();
            times.push((performance.now() - start) * 1000);
          }
          return times;
        },
        { calls: BATCH, withSdk: settings.sdk },
      );
      latencies.push(...taken);
      return BATCH;
    },
    takeLatencies: () => latencies.splice(0),
    close: async () => {
      await browser.close();
      close();
      await pawl.close();
    },
  };
};
