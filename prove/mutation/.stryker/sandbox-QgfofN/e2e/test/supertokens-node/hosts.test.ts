import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startTestCore, type TestCore, type TestCoreOptions } from "../core.js";
import { countingProxy, type CountingProxy } from "../counting-proxy.js";
import { type ApplicationOptions, startApplication } from "./application.js";
import { type SdkVersion, sdkVersions } from "./sdk-version.js";
import type { Answer } from "./visitor.js";

const letIn = () => "let in";

const testCore = async (options?: TestCoreOptions): Promise<TestCore> => {
  const core = await startTestCore(options);
  onTestFinished(() => core.close());
  return core;
};
const dataFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-e2e-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const application = async (sdk: SdkVersion, uri: string, options?: ApplicationOptions) => {
  const started = await startApplication(sdk, uri, options);
  onTestFinished(() => started.close());
  return started;
};
const proxyTo = async (core: TestCore): Promise<CountingProxy> => {
  const proxy = await countingProxy(core.host);
  onTestFinished(() => proxy.close());
  return proxy;
};
const uriOf = ({ host }: { readonly host: { readonly hostname: string; readonly port: number } }): string =>
  `http://${host.hostname}:${host.port}`;

describe.each(sdkVersions)("cores of supertokens-node $version, unmodified", (sdk) => {
  test("two nodes on one database take turns; one is stopped and nobody is logged out", async () => {
    const folder = dataFolder();
    const nodes = [await testCore({ folder }), await testCore({ folder })];
    const proxies = [await proxyTo(nodes[0] as TestCore), await proxyTo(nodes[1] as TestCore)];
    const { newVisitor, sdk: loaded, failures } = await application(sdk, proxies.map(uriOf).join(";"));
    const visitors = Array.from({ length: 3 }, () => newVisitor());
    for (const visitor of visitors) expect((await visitor.login({ userId: "u" })).status).toBe(200);
    /** Once more after a failure: who did not move on to the other node by itself has it next in turn. */
    const settled = async (call: () => Promise<Answer>): Promise<Answer> => {
      const answer = await call();
      return answer.status === 500 ? call() : answer;
    };
    const live = async () => {
      for (const { clock } of nodes) clock.advance(31_000);
      for (const visitor of visitors) {
        expect((await settled(visitor.refresh)).status).toBe(200);
        for (const { clock } of nodes) clock.advance(31_000);
        // the other node is asked whether this copy is in use
        expect(await settled(() => visitor.act(letIn))).toMatchObject({ status: 200 });
        // a third call, so that it is the other one's turn to refresh
        const handles = await settled(() => visitor.act(() => loaded.getAllSessionHandlesForUser("u")));
        expect(handles.body).toHaveLength(visitors.length);
      }
    };
    await live();
    for (const { take } of proxies) expect(take()).toContain("POST /recipe/session/refresh");
    expect(failures()).toEqual([]);

    await proxies[0]?.close();
    await nodes[0]?.close();
    // connections that were open to it may fail the calls that find them
    for (let turn = 0; turn < 2; turn++) await visitors[0]?.act(() => loaded.getAllSessionHandlesForUser("u"));
    failures();
    await live();
    // 16.7.6 waits for an error in the words of another `fetch` than Node's
    if (sdk.version === "16.7.6") expect(new Set(failures())).toEqual(new Set(["fetch failed"]));
    else expect(failures()).toEqual([]);
  });

  test("a core that was started again goes on with the sessions, and keys, that it had", async () => {
    const folder = dataFolder();
    const before = await testCore({ folder });
    const { newVisitor, failures } = await application(sdk, before.url);
    const visitor = newVisitor();
    await visitor.login({ userId: "u", payload: { role: "a" } });
    await visitor.act(letIn);
    await before.close();

    // verification needs no core; what needs one fails without harm to what the visitor holds
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    expect((await visitor.refresh()).status).toBe(500);
    expect(failures()).toEqual([expect.stringMatching(/^No SuperTokens core available to query|^fetch failed$/)]);
    expect(visitor.tokens.size).toBe(2);

    const after = await testCore({ folder, config: { port: before.address.port } });
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    after.clock.advance(31_000);
    expect((await visitor.refresh()).status).toBe(200);
    after.clock.advance(31_000);
    const role = await visitor.act((session) => session.getAccessTokenPayload().role);
    expect(role).toMatchObject({ status: 200, body: "a" });
  });
});

describe("a core with API keys", () => {
  const key = "an-API-key-with-more-than-20-characters";
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore({ config: { apiKeys: ["another-key-that-is-as-good=", key] } });
  });
  afterAll(() => core.close());

  test.each(sdkVersions)(
    "supertokens-node $version sends its key; without the right one nothing is told",
    async (sdk) => {
      const { newVisitor } = await application(sdk, core.url, { apiKey: key });
      const visitor = newVisitor();
      expect((await visitor.login({ userId: "u" })).status).toBe(200);
      expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
      core.clock.advance(31_000);
      expect((await visitor.refresh()).status).toBe(200);
      expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
      expect((await visitor.signOut()).status).toBe(200);

      for (const options of [{ apiKey: `${key}x` }, {}]) {
        const refused = await application(sdk, core.url, options);
        expect((await refused.newVisitor().login({ userId: "u" })).status).toBe(500);
        expect(refused.failures()).toEqual([expect.stringContaining("status code: 401 and message: Invalid API key")]);
      }
    },
  );
});
