import { createServer } from "node:net";
import { expect, it, onTestFinished, test } from "vitest";
import { areWebhooks, isWebhook, webhookEvents } from "../../src/index.js";
import { isPublicAddress } from "../../src/webhooks/index.js";
import { publicLookup } from "../../src/webhooks/public-address.js";
import { createSender } from "../../src/webhooks/send.js";
import { receiver, SECRET, status } from "./receiver.js";

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001::1",
  "2400:cb00::1",
  "2001:200::1",
  "2003::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.1.1.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:1.1.1.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "ff02::1",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

it("resolves no name to an address that is not public, whichever way it is asked", async () => {
  const asked = (options: object) =>
    new Promise((resolve) => publicLookup("localhost", options, (error, found) => resolve(error?.code ?? found)));
  expect(await asked({ all: true })).toBe("PRIVATE_ADDRESS");
  expect(await asked({})).toBe("PRIVATE_ADDRESS");
});

/** Counts connections to a port of this machine. */
const listening = async (): Promise<{ readonly port: number; readonly connections: () => number }> => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as { readonly port: number }).port, connections: () => connections };
};

it.each(["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "LOCALHOST"])(
  "connects to nothing at https://%s",
  async (host) => {
    const { port, connections } = await listening();
    const sender = createSender({ url: `https://${host}:${port}/`, secret: SECRET });
    onTestFinished(() => sender.close());
    expect(await sender.send("{}", {})).toEqual({ kind: "failed", why: "the address is not public", isDown: true });
    expect(connections()).toBe(0);
  },
);

it("follows no redirect, to wherever it leads", async () => {
  const { port, connections } = await listening();
  for (const code of [301, 302, 303, 307, 308]) {
    const to = await receiver(status(code, { location: `http://127.0.0.1:${port}/` }));
    const sender = createSender(to.webhook);
    onTestFinished(() => sender.close());
    expect(await sender.send("{}", {})).toEqual({ kind: "failed", why: `status ${code}`, isDown: false });
  }
  expect(connections()).toBe(0);
});

it("waits for an answer as long as it may, and does not wait for its body", async () => {
  const late = await receiver((response) => void setTimeout(() => response.writeHead(200).end(), 60_000).unref());
  const sender = createSender(late.webhook, 100);
  expect(await sender.send("{}", {})).toMatchObject({ kind: "failed", why: "no answer within 10 s" });
  const endless = await receiver((response) => void response.writeHead(200).write("…"));
  const other = createSender(endless.webhook, 300);
  expect(await other.send("{}", {})).toEqual({ kind: "delivered" });
  sender.close();
  other.close();
});

it("tells what is a webhook, and refuses what would silently not hold", () => {
  const right = { url: "https://hooks.example.com/pawl?x=1", secret: SECRET };
  for (const webhook of [
    right,
    { ...right, events: ["token_reuse"], allowPrivate: false },
    { ...right, url: "http://hooks.local/", allowPrivate: true },
    { ...right, secret: `${SECRET},${SECRET}` },
    { ...right, events: webhookEvents },
  ])
    expect(isWebhook(webhook), JSON.stringify(webhook)).toBe(true);
  for (const webhook of [
    undefined,
    "https://hooks.example.com",
    {},
    { url: right.url },
    { secret: SECRET },
    { ...right, url: "http://hooks.example.com/" },
    { ...right, url: "https://user:word@hooks.example.com/" },
    { ...right, url: "ftp://hooks.example.com/", allowPrivate: true },
    { ...right, url: "https://" },
    { ...right, secret: "whsec_c2hvcnQ=" },
    { ...right, secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
    { ...right, events: [] },
    { ...right, events: ["everything"] },
    { ...right, allowPrivate: "yes" },
    { ...right, allow_private: true },
  ])
    expect(isWebhook(webhook), JSON.stringify(webhook)).toBe(false);
  expect(areWebhooks([right, { ...right, url: "https://hooks.example.com/other" }])).toBe(true);
  expect(areWebhooks([right, { ...right, events: ["token_reuse"] }])).toBe(false);
  expect(areWebhooks([right, {}])).toBe(false);
});
