import { createVerifier, type Verifier } from "../../src/index.js";
import { type Cases, wordOf } from "./case.js";
import { equal, isTrue, standingClock } from "./expectations.js";
import { ABSENT, type SignInput, type WorldClient } from "./world-client.js";

const HOUR = 3_600_000;

/** A verifier that knows the keys of some names. */
const verifierOf = async (world: WorldClient, ...keys: readonly string[]): Promise<Verifier<object>> =>
  createVerifier({ keys: (await world.keySet({ keys })).url });

const handle = "3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e5f";

export const tokenCases: Cases = {
  "tokens that the core makes are valid, in each form that names its key": {
    async run(world, runtime) {
      // The core has a key for each before they are read.
      for (const algorithm of ["ES256", "RS256"] as const) await world.login({ userId: "alice", algorithm });
      const { verify } = createVerifier({
        keys: `${world.origin}/${runtime === "chromium" ? "keys" : "core/v1/jwks"}`,
      });
      const payload = { role: "admin", name: "Жанна ☕", list: [1, { two: null }], __proto__: undefined };
      for (const form of ["v4", "v5", "pawl"] as const)
        for (const algorithm of ["ES256", "RS256"] as const) {
          const { accessToken, handle } = await world.login({ userId: "alice", payload, form, algorithm });
          const found = await verify(accessToken);
          equal(wordOf(found), "not checked", `${form} ${algorithm}`);
          if (found.kind !== "valid") return;
          const { issuedAt, expiresAt, auth, ...session } = found.session;
          equal(session, { userId: "alice", handle, tenantId: "public", payload }, form);
          isTrue(Math.abs(issuedAt - Date.now()) < 20_000 && expiresAt - issuedAt === HOUR - 1000, "times");
          equal([auth?.methods, typeof auth?.at], form === "pawl" ? [[], "number"] : [undefined, "undefined"]);
        }
    },
  },

  "a token says who acts, and how the user has authenticated": {
    async run(world) {
      const { verify } = await verifierOf(world, "ec-1");
      const body = { act: { sub: "admin" }, auth_time: 1_700_000_000, amr: ["pwd", "otp"], acr: "high" };
      const found = await verify(await world.sign({ key: "ec-1", body }));
      const told = found.kind === "valid" && [found.session.actor, found.session.auth, found.session.payload];
      equal(told, [{ userId: "admin" }, { at: 1_700_000_000_000, methods: ["pwd", "otp"], level: "high" }, {}]);
      // In the documented forms such members are the application's own.
      const documented = await verify(await world.sign({ key: "ec-1", form: "v5", body }));
      equal(documented.kind === "valid" && documented.session, {
        userId: "user-1",
        handle,
        tenantId: "public",
        payload: body,
        issuedAt: documented.kind === "valid" && documented.session.issuedAt,
        expiresAt: documented.kind === "valid" && documented.session.expiresAt,
      });
    },
  },

  "a member of the payload is the application's where its form leaves the name free": {
    async run(world) {
      const { verify } = await verifierOf(world, "ec-1");
      const body = { rsub: "its own", iss: "https://its.own", aud: "its own", sid: "its own", pver: 7 };
      const found = await verify(await world.sign({ key: "ec-1", form: "v4", body }));
      equal(found.kind === "valid" && found.session.payload, body);
    },
  },

  "what one request does to its session is nothing to the next": {
    async run(world) {
      const { verify } = await verifierOf(world, "ec-1");
      const token = await world.sign({ key: "ec-1", payload: { role: "user", of: [{ a: 1 }] } });
      for (let asked = 0; asked < 3; asked++) {
        const found = await verify(token);
        if (found.kind !== "valid") return equal(wordOf(found), "not checked");
        equal(found.session.payload, { role: "user", of: [{ a: 1 }] });
        const payload = found.session.payload as { role: string; of: { a: number }[] };
        payload.role = "admin";
        payload.of[0]!.a = 2;
      }
    },
  },

  "no forged token is accepted, and none is taken for one of a session that has ended": {
    async run(world) {
      const { real, forgeries } = await world.forgeries({});
      const verifier = await verifierOf(world, "rsa-forged", "ec-forged");
      const words: Readonly<Record<string, string>> = {
        v1: "unknown malformed 401",
        oauth: "unknown wrong_audience 401",
      };
      for (const [form, token] of Object.entries(real))
        equal(wordOf(await verifier.verify(token)), words[form] ?? "not checked", form);
      isTrue(forgeries.length > 100, "the matrix is there");
      for (const { rule, name, tokens } of forgeries)
        for (const token of tokens) {
          const found = await verifier.verify(token);
          if (found.kind !== "unknown" || found.status !== 401 || found.why === "expired")
            throw new Error(`${rule}: ${name}: ${wordOf(found)} ${token.slice(0, 1000)}`);
        }
      // They have spoiled nothing.
      equal(wordOf(await verifier.verify(real["pawl"]!)), "not checked");
    },
  },

  "a claim that is missing or has another type is refused, however well it is signed": {
    async run(world) {
      const { verify } = await verifierOf(world, "ec-1");
      const soon = Math.floor(Date.now() / 1000) + 60;
      const changes: readonly object[] = [
        ...[String(soon), soon + 0.5, 1e300, null, ABSENT, [soon], {}, true, "x"].map((exp) => ({ exp })),
        ...["0", 0.5, null, ABSENT, [0], true].map((iat) => ({ iat })),
        ...[1, null, ABSENT, ["alice"], {}].map((sub) => ({ sub })),
        ...[1, null, ABSENT, [handle]].map((sid) => ({ sid })),
        ...[1, null, ABSENT].map((tId) => ({ tId })),
        ...["0", 0.5, null, [0]].map((pver) => ({ pver })),
        ...[null, "admin", {}, { sub: 1 }, { sub: null }, [], 0, false, ""].map((act) => ({ act })),
      ];
      for (const body of changes)
        equal(
          wordOf(await verify(await world.sign({ key: "ec-1", body }))),
          "unknown incomplete 401",
          JSON.stringify(body),
        );
      for (const body of [{ sessionHandle: 1 }, { sub: null }, { tId: 1 }, { exp: "1" }])
        equal(
          wordOf(await verify(await world.sign({ key: "ec-1", form: "v5", body }))),
          "unknown incomplete 401",
          JSON.stringify(body),
        );
      for (const text of ["null", "1", "[]", '"x"', "{", ""])
        equal((await verify(await world.sign({ key: "ec-1", bodyText: text }))).kind, "unknown", text);
    },
  },

  "a header with a member that stands in it twice is refused": {
    async run(world) {
      const { verify } = await verifierOf(world, "ec-1");
      const header = (members: string): SignInput => ({ key: "ec-1", headerText: `{${members}}` });
      const plain = '"alg":"ES256","typ":"JWT","version":"pawl","kid":"ec-1"';
      equal(wordOf(await verify(await world.sign(header(plain)))), "not checked");
      for (const odd of [
        `"alg":"none",${plain}`,
        `${plain},"alg":"ES256"`,
        `${plain},"kid":"ec-1"`,
        `${plain},"crit":[]`,
        `${plain}, `,
        ` ${plain}`,
        plain.replace("ES256", "ES\\u0032\\u0035\\u0036"),
        plain.replace("ec-1", "ec-1\\u0000"),
      ])
        equal(wordOf(await verify(await world.sign(header(odd)))), "unknown unsupported_header 401", odd);
    },
  },

  "a token holds to the millisecond in which it expires, by the clock of this machine": {
    async run(world) {
      const { url } = await world.keySet({ keys: ["ec-1"] });
      const token = await world.sign({ key: "ec-1" });
      let now = Date.now();
      const { verify } = createVerifier({ keys: url, clock: { now: () => now } });
      const found = await verify(token);
      const { expiresAt, issuedAt } = (found as Extract<typeof found, { kind: "valid" }>).session;
      for (const [at, word] of [
        [expiresAt - 1, "not checked"],
        [expiresAt, "unknown expired 401"],
        [expiresAt + 20 * HOUR, "unknown expired 401"],
        // A clock that is a little behind is put up with; what is more would keep expired tokens alive.
        [issuedAt - 59_999, "not checked"],
        [issuedAt - 60_000, "unknown unavailable 503"],
        [issuedAt - 20 * HOUR, "unknown unavailable 503"],
        [expiresAt - 1, "not checked"],
      ] as const) {
        now = at;
        equal(wordOf(await verify(token)), word, `${at - expiresAt} ms after it`);
      }
    },
  },

  "an access token of RFC 9068 is for whom it names, from whom it says": {
    async run(world) {
      const { url } = await world.keySet({ keys: ["rsa-1"] });
      const issuer = "https://core.example.com";
      const audience = "https://api.example.com";
      const sign = (body: object, typ = "at+jwt"): Promise<string> =>
        world.sign({ key: "rsa-1", header: { typ }, body: { jti: "1", client_id: "app", ...body } });
      const strict = createVerifier({ keys: url, issuer, audience });
      const answers: readonly (readonly [string, object])[] = [
        ["not checked", { iss: issuer, aud: audience }],
        ["not checked", { iss: issuer, aud: ["https://other.example.com", audience] }],
        ["unknown wrong_issuer 401", { iss: `${issuer}/`, aud: audience }],
        ["unknown wrong_issuer 401", { iss: issuer.toUpperCase(), aud: audience }],
        ["unknown wrong_issuer 401", { iss: [issuer], aud: audience }],
        ["unknown wrong_issuer 401", { aud: audience }],
        ["unknown wrong_audience 401", { iss: issuer }],
        ["unknown wrong_audience 401", { iss: issuer, aud: [] }],
        ["unknown wrong_audience 401", { iss: issuer, aud: [`${audience}/`] }],
        ["unknown wrong_audience 401", { iss: issuer, aud: { [audience]: true } }],
      ];
      for (const [word, body] of answers)
        equal(wordOf(await strict.verify(await sign(body))), word, JSON.stringify(body));
      equal(
        wordOf(
          await strict.verify(await world.sign({ key: "rsa-1", form: "v5", body: { iss: issuer, aud: audience } })),
        ),
        "unknown wrong_issuer 401",
      );
      // Who names no audience of his own is none that a token is for.
      const loose = createVerifier({ keys: url });
      equal(wordOf(await loose.verify(await sign({ iss: issuer, aud: audience }))), "unknown wrong_audience 401");
      const found = await strict.verify(await sign({ iss: issuer, aud: audience, role: "admin" }));
      equal(found.kind === "valid" && found.session.payload, { role: "admin" });
      equal(
        wordOf(await strict.verify(await sign({ iss: issuer, aud: audience }, "AT+JWT"))),
        "unknown unsupported_header 401",
      );
    },
  },

  "a clock that is set back or forth breaks nothing for longer than it is wrong": {
    async run(world) {
      const { url, id } = await world.keySet({ keys: ["ec-1"] });
      const clock = standingClock();
      const { verify } = createVerifier({ keys: url, clock });
      const token = await world.sign({ key: "ec-1" });
      equal(wordOf(await verify(token)), "not checked");
      clock.move(-30 * 24 * HOUR);
      equal(wordOf(await verify(token)), "unknown unavailable 503");
      clock.move(30 * 24 * HOUR);
      equal(wordOf(await verify(token)), "not checked");
      isTrue((await world.keySetAsked({ id })) < 5, "no storm");
    },
  },
};
