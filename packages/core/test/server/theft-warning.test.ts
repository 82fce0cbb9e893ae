import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { listen, type ListeningCore, movableClock, testFolder } from "../listening-core.js";

interface Issued {
  readonly session: { readonly handle: string };
  readonly accessToken: { readonly token: string };
  readonly refreshToken: { readonly token: string };
}

/** How each dialect logs in and refreshes, and what it answers to a theft. */
const dialects = {
  "CDI 1.0": {
    create: async (core: ListeningCore, userId: string): Promise<Issued> =>
      (await core.send("POST", "/session", { body: { userId, userDataInJWT: {}, userDataInDatabase: {} } })).json,
    refresh: (core: ListeningCore, refreshToken: string) =>
      core.send("POST", "/session/refresh", { body: { refreshToken } }),
    theft: { status: "TOKEN_THEFT_DETECTED" },
  },
  "/v1": {
    create: async (core: ListeningCore, userId: string): Promise<Issued> =>
      (await core.send("POST", "/v1/sessions", { body: { userId } })).json,
    refresh: (core: ListeningCore, refreshToken: string) =>
      core.send("POST", "/v1/sessions/refresh", { body: { refreshToken } }),
    theft: { code: "token_theft_detected" },
  },
} as const;

describe.each(Object.entries(dialects))("a theft found through %s", (_, { create, refresh, theft }) => {
  test.each([
    ["revoke_session", 1],
    ["revoke_user", 2],
    ["report", 0],
  ] as const)(
    "with %s is one warning that says who was robbed and that %i ended, never a token",
    async (theftAction, ended) => {
      const clock = movableClock();
      const infoLogPath = `${await testFolder()}/info.log`;
      const core = await listen({ infoLogPath, logLevel: "debug", policy: { theftAction } }, { clock });
      const tokens: string[] = [];
      const noted = (issued: Issued): Issued => {
        tokens.push(issued.accessToken.token, issued.refreshToken.token);
        return issued;
      };
      const turned = async (token: string): Promise<Issued> => {
        clock.move(31_000);
        return noted((await refresh(core, token)).json);
      };

      noted(await create(core, "robbed"));
      const { session, refreshToken: stolen } = noted(await create(core, "robbed"));
      const second = await turned(stolen.token);
      await turned(second.refreshToken.token);
      const warnings = async () =>
        (await readFile(infoLogPath, "utf8"))
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(({ level }) => level === 40);
      expect(await warnings()).toEqual([]);
      clock.move(31_000);
      expect((await refresh(core, stolen.token)).json).toMatchObject(theft);
      // Where the session lives on, further thefts within the hour are part of this line.
      for (const again of theftAction === "report" ? [stolen, stolen, stolen] : [])
        expect((await refresh(core, again.token)).json).toMatchObject(theft);

      expect(await warnings()).toEqual([
        {
          level: 40,
          time: expect.any(Number) as number,
          handle: session.handle,
          tenantId: "public",
          userId: "robbed",
          action: theftAction,
          ended,
          count: 1,
          msg: "token theft detected",
        },
      ]);
      const log = await readFile(infoLogPath, "utf8");
      expect(tokens).toHaveLength(8);
      for (const token of tokens)
        for (const piece of [token, ...token.split(".")].filter(({ length }) => length > 30)) {
          expect(log).not.toContain(piece);
          expect(log).not.toContain(piece.slice(0, 40));
        }
      // Not even one that was masked: nothing tried to write any.
      expect(log).not.toContain("***");
    },
  );
});
