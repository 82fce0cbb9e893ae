import { MemoryStorage } from "@pawl/storage";
import { expect, onTestFinished, test, vi } from "vitest";
import { createPawl } from "../src/index.js";

const MARK = "mark-of-this-payload";

/** How often, while something is done, JSON that holds the mark is written and read. */
const counted = async <Result>(work: () => Promise<Result>) => {
  const [stringify, parse] = [vi.spyOn(JSON, "stringify"), vi.spyOn(JSON, "parse")];
  try {
    const result = await work();
    const written = stringify.mock.results.filter(({ value }) => String(value).includes(MARK)).length;
    const read = parse.mock.calls.filter(([text]) => text.includes(MARK)).length;
    return { result, written, read };
  } finally {
    stringify.mockRestore();
    parse.mockRestore();
  }
};

const response = (headers: Readonly<Record<string, string>>) => ({
  req: { headers },
  getHeader: () => undefined,
  setHeader: () => undefined,
});

test.each([
  ["cookies", {}],
  ["cookies and a front token", { "st-auth-mode": "cookie" }],
  ["headers", { "st-auth-mode": "header" }],
])("a login with %s writes its payload as JSON once, and so reads it once", async (_, headers) => {
  const storage = new MemoryStorage();
  const pawl = createPawl({ storage, masterKey: Buffer.alloc(32, 7).toString("base64") });
  onTestFinished(() => pawl.close().then(() => storage.close()));
  await pawl.ready();
  const login = await counted(() => pawl.createNewSession(response(headers), "u1", { role: MARK }, { note: "x" }));
  expect(login).toMatchObject({ written: 1, read: 1 });
  expect(login.result.getJWTPayload()).toEqual({ role: MARK });
});

test("a refresh writes no payload, for its text is stored", async () => {
  const storage = new MemoryStorage();
  const pawl = createPawl({ storage, masterKey: Buffer.alloc(32, 7).toString("base64") });
  onTestFinished(() => pawl.close().then(() => storage.close()));
  const login = await counted(() => pawl.tokens.createNewSession("u1", { role: MARK }));
  expect(login).toMatchObject({ written: 1, read: 1 });
  expect(await counted(() => pawl.tokens.refreshSession(login.result.refreshToken.token))).toMatchObject({
    written: 0,
    read: 1,
  });
});
