import { createPawl } from "@pawl/node";
import { afterEach, beforeEach, expect } from "vitest";
import type { Hooks, KitPawl, KitPayload, LateCalls, OwnAnswers, Serve } from "./application.js";
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

/** A place where work stops until the test lets it go on. */
export class Barrier {
  #arrive = (): void => undefined;
  #release = (): void => undefined;
  /** Settles when something has come here. */
  readonly reached = new Promise<void>((resolve) => (this.#arrive = resolve));
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));

  readonly pass = (): Promise<void> => {
    this.#arrive();
    return this.#released;
  };

  readonly release = (): void => this.#release();
}

/** Fails a test in which an error reached nobody: it would have ended the process. */
const expectNoLostErrors = (): void => {
  const lost: unknown[] = [];
  const note = (error: unknown): void => void lost.push(error);
  const events = ["unhandledRejection", "uncaughtException"] as const;
  beforeEach(() => {
    for (const event of events) process.on(event, note);
  });
  afterEach(() => {
    for (const event of events) process.off(event, note);
    expect(lost.splice(0)).toEqual([]);
  });
};

export interface KitSettings {
  readonly openBackend: OpenBackend;
  readonly ownAnswers: OwnAnswers;
}

/** Starts the kit's application; each is closed after its test. */
export type Start = ReturnType<typeof createStart>;

export const createStart = (serve: Serve, { openBackend, ownAnswers }: KitSettings) => {
  const open = new Set<() => Promise<void>>();
  // Hooks of the same kind run in turn, the last one first: everything is closed before errors are counted.
  expectNoLostErrors();
  afterEach(async () => {
    for (const close of open) await close();
    open.clear();
  });

  return async ({ rules = {}, ...options }: StartOptions = {}) => {
    const clock = new TestClock();
    const backend = await openBackend(rules, clock);
    const thefts: string[] = [];
    let waits: (calls?: LateCalls) => void | Promise<void> = () => undefined;
    const pawl: KitPawl = createPawl<KitPayload>({
      ...backend.options,
      clock,
      onTokenTheft: ({ handle }) => void thefts.push(handle),
      ...options,
    });
    const hooks: Hooks = { wait: async (calls) => waits(calls) };
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
      ownAnswers,
      /** What the names of the session's cookies start with: over TLS they are bound to this host (RFC 6265bis section 4.1.3). */
      cookiePrefix: /^(?:https|h2):/.test(origin) ? "__Host-pawl" : "pawl",
      visitor,
      onWait: (work: (calls?: LateCalls) => void | Promise<void>) => (waits = work),
      login: (role = "user"): Promise<Received> => visitor.ask(`/login?role=${role}`, { method: "POST" }),
    };
  };
};
