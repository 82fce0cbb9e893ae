import type { JsonObject } from "@pawl/engine";
import { type Clock, millis } from "@pawl/storage";
import { cookieValues } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";
import { replaceDefaultPawl } from "./default-pawl.js";
import { type Duration, readDuration } from "./duration.js";
import type { EmbeddedOptions } from "./options.js";
import { createPawl, type Pawl } from "./pawl.js";
import type { Session } from "./session-object.js";

/** Time that stands still until it is told to move. */
export interface TestClock extends Clock {
  /** `clock.advance("1h")` */
  advance(by: Duration): void;
}

/** A clock at the present time, or at `start` (ms since the epoch). */
export const testClock = (start: number = Date.now()): TestClock => {
  let now = start;
  return {
    now: () => millis(now),
    advance(by) {
      now += readDuration("advance", by);
    },
  };
};

export interface TestSessionOptions<Payload extends object, Data extends object> extends Omit<
  EmbeddedOptions,
  "clock" | "storage"
> {
  /** `memory:` unless given. */
  readonly storage?: EmbeddedOptions["storage"] | undefined;
  readonly userId: string;
  readonly payload?: Payload | undefined;
  readonly data?: Data | undefined;
  /** Makes it the instance that the documented functions use, until `close`. */
  readonly asDefault?: boolean | undefined;
}

/** A logged-in user on an instance of its own, whose sessions live in memory and whose time stands still. */
export interface TestSession<Payload extends object = JsonObject, Data extends object = JsonObject> {
  readonly pawl: Pawl<Payload, Data>;
  readonly clock: TestClock;
  readonly session: Session<Payload, Data>;
  /** The session's cookies by name. */
  readonly cookies: Readonly<Record<"sAccessToken" | "sRefreshToken" | "sIdRefreshToken", string>>;
  /** What a request of this user carries: `cookie`, and `anti-csrf` unless it is switched off. */
  readonly headers: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Logs a user in for a test.
 * @example
 * const { pawl, clock, headers } = await testSession({ userId: "u1" });
 * clock.advance("1h");
 */
export const testSession = async <Payload extends object = JsonObject, Data extends object = JsonObject>({
  userId,
  payload,
  data,
  asDefault = false,
  storage = "memory:",
  ...options
}: TestSessionOptions<Payload, Data>): Promise<TestSession<Payload, Data>> => {
  const clock = testClock();
  const pawl = createPawl<Payload, Data>({ ...options, storage, clock });
  const answer = new Map<string, string | readonly string[]>();
  const res: NodeResponse = {
    getHeader: (name) => answer.get(name.toLowerCase()),
    setHeader: (name, value) => answer.set(name.toLowerCase(), value),
  };
  const session = await pawl.createNewSession(res, userId, payload, data).catch(async (error: unknown) => {
    await pawl.close();
    throw error;
  });
  const before = asDefault ? replaceDefaultPawl(pawl as unknown as Pawl) : undefined;

  const cookie = [answer.get("set-cookie") ?? []]
    .flat()
    .map((line) => line.slice(0, line.indexOf(";")))
    .join("; ");
  const valueOf = (name: string): string => cookieValues(cookie, name)[0] ?? "";
  const antiCsrfToken = answer.get("anti-csrf");
  return {
    pawl,
    clock,
    session,
    cookies: {
      sAccessToken: valueOf("sAccessToken"),
      sRefreshToken: valueOf("sRefreshToken"),
      sIdRefreshToken: valueOf("sIdRefreshToken"),
    },
    headers: { cookie, ...(typeof antiCsrfToken === "string" ? { "anti-csrf": antiCsrfToken } : {}) },
    async close() {
      if (asDefault) replaceDefaultPawl(before);
      await pawl.close();
    },
  };
};
