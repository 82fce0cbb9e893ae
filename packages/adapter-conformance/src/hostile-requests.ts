import { expect, it } from "vitest";
import { HOUR, type Start } from "./kit.js";
import { ask, call } from "./visitor.js";

export const testHostileRequests = (start: Start): void => {
  it("survives hostile requests", async () => {
    const { origin, visitor, login } = await start();
    await login();
    const { port } = new URL(origin);
    const hostile: readonly Readonly<Record<string, string>>[] = [
      { cookie: "pawl-access; pawl-refresh=; =; ;;; pawl-access=%; pawl-refresh=%zz" },
      { cookie: Array.from({ length: 900 }, (_, at) => `pawl-access=${at}`).join("; ") },
      { cookie: Array.from({ length: 900 }, (_, at) => `c${at}=1`).join("; ") },
      { cookie: `pawl-refresh=pawl_rt_1.${"A".repeat(4000)}` },
      { authorization: "Bearer x" },
      { host: `localhost:${port}@evil.example` },
      { host: "[::1", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", forwarded: "host=evil" },
      { origin: "null", "sec-fetch-site": "nonsense" },
    ];
    for (const headers of hostile)
      for (const [path, method] of [
        ["/me", "GET"],
        ["/session/refresh", "POST"],
        ["/session/refresh?return=%0d%0aX:%20y", "GET"],
        ["/signout", "POST"],
      ] as const) {
        const { status } = await ask(`${origin}${path}`, { method, headers });
        expect([path, headers, [200, 303, 400, 401, 403, 404].includes(status)]).toEqual([path, headers, true]);
      }
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("survives clients that go away while a handler works", async () => {
    const { clock, origin, visitor, login, onWait, thefts } = await start();
    await login();
    clock.advance(2 * HOUR);
    const cookie = [...visitor.cookies].map(([key, value]) => `${key}=${value}`).join("; ");
    let release = (): void => undefined;
    const waiting = new Promise<void>((arrived) =>
      onWait(
        () =>
          new Promise((resolve) => {
            release = resolve;
            arrived();
          }),
      ),
    );
    const { answer, abort } = call(`${origin}/slow`, { headers: { cookie } });
    answer.catch(() => undefined);
    await waiting;
    abort();
    release();
    onWait(() => undefined);
    expect((await visitor.ask("/slow")).status).toBe(200);
    expect(thefts).toEqual([]);
  });
};
