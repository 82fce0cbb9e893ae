import { createPawl } from "@pawl/node";
import { afterEach } from "vitest";
import type { Hooks, KitPawl, KitPayload, Serve } from "./application.js";
import type { KitRules, OpenBackend } from "./backend.js";
import { TestClock } from "./test-clock.js";
import { type Received, Visitor } from "./visitor.js";

export const HOUR = 3_600_000;

/** Headers of an answer that are ours: some frameworks vary by headers of their own, or say how to cache. */
export const ownHeaders = ({ headers }: Received): readonly string[] =>
  Object.entries({
    "set-cookie": /^/,
    vary: /origin|cookie/i,
    "cache-control": /^no-store$/,
    "access-control-allow-origin": /^/,
  })
    .filter(([name, own]) => headers[name] !== undefined && own.test(String(headers[name])))
    .map(([name]) => name);

export const sessionCookies = ({ setCookies }: Received): readonly string[] =>
  setCookies.filter((line) => line.includes("pawl-"));

export const statusAndBody = ({ status, json }: Received): readonly unknown[] => [status, json];

export interface StartOptions {
  readonly origins?: readonly string[];
  readonly basePath?: string;
  readonly rules?: KitRules;
}

/** Starts the kit's application; each is closed after its test. */
export type Start = ReturnType<typeof createStart>;

export const createStart = (serve: Serve, openBackend: OpenBackend) => {
  const open = new Set<() => Promise<void>>();
  afterEach(async () => {
    for (const close of open) await close();
    open.clear();
  });

  return async ({ rules = {}, ...options }: StartOptions = {}) => {
    const clock = new TestClock();
    const backend = await openBackend(rules, clock);
    const thefts: string[] = [];
    let waits: () => void | Promise<void> = () => undefined;
    const pawl: KitPawl = createPawl<KitPayload>({
      ...backend.options,
      clock,
      onTokenTheft: ({ handle }) => void thefts.push(handle),
      ...options,
    });
    const hooks: Hooks = { wait: async () => waits() };
    const { origin, close } = await serve(pawl, hooks);
    open.add(async () => {
      await close();
      await pawl.close();
      await backend.close();
    });
    const visitor = new Visitor(origin);
    return {
      clock,
      backend,
      thefts,
      pawl,
      origin,
      visitor,
      onWait: (work: () => void | Promise<void>) => (waits = work),
      login: (role = "user"): Promise<Received> => visitor.ask(`/login?role=${role}`, { method: "POST" }),
    };
  };
};
