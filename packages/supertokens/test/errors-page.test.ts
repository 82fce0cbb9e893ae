import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Error as SessionError } from "../src/index.js";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

const captures = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, found = ""]) => found);

const page = read("../../../docs/reference/errors.md");
/** What stands in backticks at the start of each row below a heading, up to the next heading. */
const namesUnder = (heading: string): readonly string[] => {
  const [, text = ""] = page.split(`\n${heading}\n`);
  const [section = ""] = text.split(/^##/m);
  return captures(section, /^\| `([^`]+)` \|/gm);
};

const LITERAL = /(["'`])((?:(?!\1)[^\\]|\\.)*)\1/y;
/** The text of the first argument that starts at `from`: its literals joined, `…` for what is filled in. */
const textAt = (source: string, from: number): string => {
  let text = "";
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    LITERAL.lastIndex = at;
    const literal = LITERAL.exec(source);
    const char = source.charAt(at);
    if (literal !== null) {
      text += literal[2]?.replaceAll(/\$\{[^}]*\}/g, "…") ?? "";
      at = LITERAL.lastIndex - 1;
    } else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && depth-- === 0) break;
    else if (char === "," && depth === 0) break;
  }
  return text;
};

const sources = readdirSync(new URL("../src/", import.meta.url)).map((name) => read(`../src/${name}`));
const constants = sources.flatMap((source) => [...source.matchAll(/^const ([A-Z_]+) =\s+("[^"]*");/gm)]);

/** The messages a maker of errors is called with anywhere in this package; a constant stands for its text. */
const messagesOf = (maker: string, within = sources.join("\n")): readonly string[] => {
  const source = constants.reduce((text, [, name = "", value = ""]) => text.replaceAll(name, value), within);
  return [...source.matchAll(new RegExp(`\\b${maker}\\(`, "g"))]
    .map(({ 0: call, index }) => textAt(source, index + call.length))
    .filter((message) => message !== "");
};

/** What the backend and the cookies' limit throw is told as GENERAL_ERROR here, with their messages. */
const backend = ["backend/core/core-hosts", "http/cookie-size", "options/option", "options/backend-options"]
  .map((name) => read(`../../node/src/${name}.ts`))
  .join("\n")
  .replaceAll('"UNKNOWN",', "");

const engine = (name: string): string => read(`../../engine/src/${name}.ts`);
/** User ids, payload and data are checked by the engine's functions. */
const input = engine("sessions/session-input");
const checksOfInput = [
  ...[/const checkNewUserId[^]*?\n};/, /const wellFormed[^]*?\n};/].map((part) => part.exec(input)?.[0]),
  engine("sessions/json-object-text"),
];
/** Outcomes of the engine become errors here, with their messages. */
const outcomes = {
  tryRefresh: /const messages: [^{]*\{([^}]*)\}/.exec(engine("verification/try-refresh"))?.[1] ?? "",
  unauthorised: [
    "verification/access-token-verifier",
    "rotation/refresh",
    "verification/verification",
    "sessions/token-changes",
  ]
    .map(engine)
    .join("\n"),
};

const alike = (told: readonly string[], made: readonly string[]): void => {
  expect(told).toHaveLength(new Set(told).size);
  expect(told.toSorted()).toEqual([...new Set(made)].toSorted());
};

describe("docs/reference/errors.md and the sources name the same", () => {
  test("kinds of error", () => {
    const kinds = Object.entries(SessionError).filter(([, value]) => typeof value === "number");
    const rows = [...page.matchAll(/^\| (\d{4}) \| `([A-Z_]+)` \| (kept|cleared) \|/gm)];
    expect(rows.map(([, number, code]) => [code, Number(number)])).toEqual(kinds);
  });

  test("messages of GENERAL_ERROR", () =>
    alike(namesUnder("### Messages of `GENERAL_ERROR`"), [
      ...messagesOf("generalError"),
      ...messagesOf("new SessionError", backend),
      ...messagesOf("new TypeError", backend),
      ...messagesOf("invalid", checksOfInput.join("\n")),
    ]));

  test("messages of UNAUTHORISED", () =>
    alike(namesUnder("### Messages of `UNAUTHORISED`"), [
      ...messagesOf("unauthorised"),
      ...captures(outcomes.unauthorised, /kind: "unauthorised",\s*why: "\w+",\s*message: "([^"]+)"/g),
      ...captures(outcomes.unauthorised, /\bunauthorised\("\w+", "([^"]+)"\)/g),
    ]));

  test("messages of TRY_REFRESH_TOKEN", () =>
    alike(namesUnder("### Messages of `TRY_REFRESH_TOKEN`"), [
      ...messagesOf("tryRefreshToken"),
      ...captures(outcomes.tryRefresh, /"(.*)"/g),
    ]));

  test("the message of TOKEN_THEFT_DETECTED", () =>
    alike(
      namesUnder("### Message of `TOKEN_THEFT_DETECTED`"),
      captures(sources.join("\n"), /errType: TOKEN_THEFT_DETECTED, message: "([^"]+)"/g),
    ));

  test.each([
    ["## Errors of the engine", "EngineErrorCode", "../../engine/src/errors.ts"],
    ["## Errors of storage", "StorageErrorCode", "../../storage/src/errors.ts"],
    ["## Errors of the configuration", "ConfigErrorCode", "../../core/src/config/config-error.ts"],
  ])("codes under %s", (heading, type, path) => {
    const [, union = ""] = new RegExp(`type ${type} =([^;]*);`).exec(read(path)) ?? [];
    const codes = captures(union, /"(\w+)"/g);
    expect(codes.length).toBeGreaterThan(5);
    alike(namesUnder(heading), codes);
  });
});
