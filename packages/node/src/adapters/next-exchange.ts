import { cookies, headers } from "#next/headers";
import { NextResponse } from "#next/server";
import { type Exchange, readOnly } from "../http/exchange.js";
import { FetchExchange } from "../http/fetch-exchange.js";
import type { FetchedBody } from "../http/posted-form.js";

/** Tells a page where it is: Next.js does not. */
export const PATH_HEADER = "x-pawl-path";

const FORWARDED = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"] as const;
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** Where no proxy forwards a request, Next.js adds the headers of one, with what it sees of the connection. */
const isForwarded = (given: Headers): boolean => {
  const [address = "", host, protocol] = FORWARDED.map((name) => given.get(name) ?? "");
  return host !== given.get("host") || protocol !== "http" || !LOOPBACK.test(address);
};

/** @param posted the request whose body it is, which may be read once. */
export const nextExchange = (
  request: Pick<Request, "url" | "method" | "headers">,
  posted?: FetchedBody,
): FetchExchange => {
  const { url, method } = request;
  const given = new Headers(request.headers);
  const address = given.get("x-forwarded-for")?.split(",").at(-1)?.trim();
  if (!isForwarded(given)) for (const name of FORWARDED) given.delete(name);
  return new FetchExchange(new Request(url, { method, headers: given }), { address: () => address, posted });
};

/** The request that calls a server action. */
export const actionExchange = async (method = "POST"): Promise<FetchExchange> => {
  const given = await headers();
  const path = given.get(PATH_HEADER);
  if (path === null) throw new TypeError("proxy.ts does not cover this page: its matcher has to");
  const protocol = given.get("x-forwarded-proto") === "https" ? "https" : "http";
  return nextExchange({ url: `${protocol}://${given.get("host")}${path}`, method, headers: given });
};

/** The request that a page is rendered for; its answer cannot be written. */
export const pageExchange = async (): Promise<Exchange> => readOnly(await actionExchange("GET"));

/** Writes the cookies to an answer that Next.js makes. */
export const writeCookies = async (exchange: FetchExchange): Promise<void> => {
  const store = await cookies();
  const written = new NextResponse(undefined, exchange.applyTo(new Response()));
  for (const cookie of written.cookies.getAll()) store.set(cookie);
};
