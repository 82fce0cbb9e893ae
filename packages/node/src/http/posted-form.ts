import type { Readable } from "node:stream";

/** A request, perhaps as a parser of forms leaves it. */
interface ParsedRequest {
  readonly body?: unknown;
}

const TYPE = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/** Whether the body of a request of this type is a form as browsers and OAuth send it. */
export const isForm = (contentType: string | undefined): boolean => TYPE.test(contentType ?? "");

/** The form that a request of `node:http`, or of a framework over it, carries; also where a parser has read it before. */
export const postedForm = async (request: ParsedRequest, most: number): Promise<URLSearchParams | undefined> => {
  const { body } = request;
  if (typeof body === "string" || body instanceof Uint8Array) return formOf(body, most);
  if (typeof body === "object" && body !== null) return parsedForm(body);
  const bytes = await readStream(streamOf(request), most);
  return bytes && formOf(bytes, most);
};

/** The body of a request of `fetch`. */
export type FetchedBody = Pick<Request, "body" | "bodyUsed">;

/** The form that a request of `fetch` carries. */
export const fetchedForm = async (request: FetchedBody, most: number): Promise<URLSearchParams | undefined> => {
  if (request.bodyUsed) return undefined;
  const body = new Body(most);
  try {
    for await (const chunk of request.body ?? []) body.add(chunk);
  } catch {
    return undefined;
  }
  return body.whole && formOf(body.whole, most);
};

/**
 * A body as it comes. What is too long is read to its end all the same, and dropped: a connection that is closed before would
 * take the answer with it.
 */
class Body {
  readonly #most: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size <= this.#most) this.#chunks.push(chunk);
  }

  /** Undefined where it is too long. */
  get whole(): Buffer | undefined {
    return this.#size <= this.#most ? Buffer.concat(this.#chunks) : undefined;
  }
}

const formOf = (body: string | Uint8Array, most: number): URLSearchParams | undefined =>
  body.length > most ? undefined : new URLSearchParams(Buffer.from(body).toString());

/** As parsers leave it: a text for each name, a list of them for one that came several times. */
const parsedForm = (body: object): URLSearchParams => {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body))
    for (const text of [value as unknown].flat()) form.append(name, typeof text === "string" ? text : "");
  return form;
};

/** Fastify keeps the request of `node:http` beside its own. */
const streamOf = (request: ParsedRequest): Readable => {
  const { raw = request } = request as { readonly raw?: unknown };
  return raw as Readable;
};

/** Undefined also for a body that ended early, or that somebody else has read. */
const readStream = (stream: Readable, most: number): Promise<Buffer | undefined> =>
  new Promise((resolve) => {
    if (typeof stream.on !== "function" || stream.readableEnded || stream.destroyed) return resolve(undefined);
    const body = new Body(most);
    stream.on("data", (chunk: Uint8Array) => body.add(chunk));
    stream.on("end", () => resolve(body.whole));
    for (const event of ["error", "close"]) stream.on(event, () => resolve(undefined));
  });
