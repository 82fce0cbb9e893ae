import { afterAll, beforeAll, expect, test } from "vitest";
import { worldAt } from "../../../packages/verify/test/conformance/world-client.js";
import { bundleOf, startWorker } from "../../../packages/verify/test/runtimes.js";
import { startWorld, type World } from "../../../packages/verify/test/world.js";
import { workerd } from "../runtimes.mjs";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** A Worker as users write it: one verifier for all requests of an isolate. */
const serve = async (options: object) =>
  startWorker([workerd, "serve"], {
    bundle: await bundleOf("../src/index.ts"),
    worker: `
      import { createVerifier } from "./bundle.js";
      const verifier = createVerifier(${JSON.stringify(options)});
      export default {
        async fetch(request) {
          if (request.url.endsWith("/ready")) return new Response();
          const found = await verifier.verify(request);
          return Response.json(found.kind === "valid" ? found.session.userId : found.why, { status: found.status ?? 200 });
        },
      };
    `,
  });

test("a request whose client has left while the keys were read holds up no other", async () => {
  const ask = worldAt(world.origin);
  const { url, id } = await ask.keySet({ keys: ["ec-1"], mode: "hang" });
  const { origin, stop } = await serve({ keys: url });
  try {
    const headers = { authorization: `Bearer ${await ask.sign({ key: "ec-1" })}` };
    const leaving = new AbortController();
    const left = fetch(origin, { headers, signal: leaving.signal });
    await expect.poll(() => ask.keySetAsked({ id })).toBe(1);
    leaving.abort();
    await expect(left).rejects.toThrow("abort");
    await ask.changeKeySet({ id, mode: "ok" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(origin, { headers })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(await answers[0]!.json()).toBe("user-1");
    // Those that came together have each read them; who comes later has them.
    const asked = await ask.keySetAsked({ id });
    expect((await fetch(origin, { headers })).status).toBe(200);
    expect(await ask.keySetAsked({ id })).toBe(asked);
  } finally {
    await stop();
  }
});

test("what one request was told of a token holds for the others, for as long as is said", async () => {
  const ask = worldAt(world.origin);
  const { url, id } = await ask.introspection({ answer: '{"active":true}' });
  const keys = await ask.keySet({ keys: ["ec-1"] });
  const { origin, stop } = await serve({ keys: keys.url, introspect: { url, key: "k", cacheFor: 60_000 } });
  try {
    const headers = { authorization: `Bearer ${await ask.sign({ key: "ec-1" })}` };
    for (let request = 0; request < 5; request++) expect((await fetch(origin, { headers })).status).toBe(200);
    expect(await ask.introspectionAsked({ id })).toHaveLength(1);
  } finally {
    await stop();
  }
});
