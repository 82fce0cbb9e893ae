import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { expect } from "vitest";

/** A runtime and its flags, before the name of a program. */
export type Command = readonly [string, ...(readonly string[])];

export type Call = (method: string, path: string, headers?: Record<string, string>) => Promise<Called>;
export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A browser with one cookie jar. */
export const browserAt = (origin: string): { readonly call: Call; readonly jar: Map<string, string> } => {
  const jar = new Map<string, string>();
  const call: Call = async (method, path, headers = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(origin + path, { method, headers: { cookie, ...headers } });
    for (const line of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
  };
  return { call, jar };
};

/** Runs a program that says where it listens, first of all. */
export const serving = async (
  file: string,
  visit: (origin: string) => unknown,
  {
    command: [runtime, ...flags] = [process.execPath],
    env = {},
    onOutput,
  }: {
    readonly command?: Command;
    readonly env?: Readonly<Record<string, string>>;
    readonly onOutput?: (text: string) => void;
  } = {},
): Promise<void> => {
  const child = spawn(runtime, [...flags, file], { cwd: dirname(file), env: { ...process.env, PORT: "0", ...env } });
  const ended = once(child, "exit");
  let problems = "";
  child.stderr.on("data", (chunk) => (problems += chunk));
  try {
    const origin = await new Promise<string>((started, failed) => {
      child.stdout.on("data", (chunk: Buffer) => {
        onOutput?.(String(chunk));
        started(/http:\S+/.exec(String(chunk))?.[0] ?? "");
      });
      child.on("exit", () => failed(new Error(problems)));
    });
    await visit(origin);
    expect(problems).toBe("");
  } finally {
    child.kill();
    await ended;
  }
};

/** Logs in, acts as an admin, outlives the access token and signs out. */
export const visitFirstProgram = async (origin: string): Promise<void> => {
  const { call, jar } = browserAt(origin);
  expect(await call("GET", "/me")).toMatchObject({ status: 401, body: { code: "UNAUTHORISED" } });
  expect((await call("POST", "/login")).status).toBe(200);
  expect([...jar.keys()]).toEqual(["pawl-access", "pawl-refresh"]);
  expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
  expect((await call("DELETE", "/users/1")).status).toBe(200);
  expect((await call("POST", "/session/refresh")).status).toBe(200);
  const foreign = { origin: "http://localhost:1", "sec-fetch-site": "cross-site" };
  expect((await call("DELETE", "/users/1", foreign)).status).toBe(403);
  // The access token is gone, as when it has run out: the session is refreshed in place.
  jar.delete("pawl-access");
  expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
  expect(jar.size).toBe(2);
  expect((await call("POST", "/signout")).status).toBe(200);
  expect(jar.size).toBe(0);
  expect((await call("GET", "/me")).status).toBe(401);
};
