import type { OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http";

/** What is needed of a response of `node:http` or HTTP/2. */
interface Headed {
  setHeader(name: string, value: string | readonly string[]): unknown;
  writeHead?: unknown;
}

type Entries = readonly (readonly [name: string, value: OutgoingHttpHeader])[];

/** Headers as `writeHead` takes them: an object, pairs, or names and values in turn, where a name may come again. */
const entriesOf = (headers: OutgoingHttpHeaders | readonly unknown[]): Entries => {
  if (!Array.isArray(headers)) return Object.entries(headers) as unknown as Entries;
  const pairs = Array.isArray(headers[0])
    ? (headers as Entries)
    : Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]] as Entries[number]);
  const values = new Map<string, OutgoingHttpHeader[]>();
  for (const [name, value] of pairs) values.set(name.toLowerCase(), [...(values.get(name.toLowerCase()) ?? []), value]);
  return [...values].map(([name, all]) => [
    name,
    all.length === 1 ? (all[0] as OutgoingHttpHeader) : (all as string[]),
  ]);
};

/**
 * Calls a listener when the head of an answer is about to be sent, which `writeHead` does however it comes to it. Headers
 * that are handed to `writeHead` are set before, so that the listener sees them and may add to them.
 */
export const beforeHead = (response: Headed, listener: () => void): void => {
  const writeHead = response.writeHead as (...given: unknown[]) => unknown;
  response.writeHead = (...given: unknown[]): unknown => {
    response.writeHead = writeHead;
    const headers = given.findLast((value) => typeof value === "object" && value !== null);
    for (const [name, value] of entriesOf((headers ?? {}) as OutgoingHttpHeaders))
      response.setHeader(name, value as string);
    listener();
    return Reflect.apply(
      writeHead,
      response,
      given.filter((value) => value !== headers),
    );
  };
};
