import { nodeExchange } from "../src/index.js";

/** A request with cookies, and an answer that is never sent. */
export const exchangeOf = (
  cookie: string,
  method = "POST",
  { url = "/", ...more }: Readonly<Record<string, string>> = {},
) => {
  const headers = new Map<string, string | readonly string[]>();
  const response = {
    headersSent: false,
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader: (name: string, value: string | readonly string[]) => void headers.set(name.toLowerCase(), value),
    writeHead: () => undefined,
  };
  const exchange = nodeExchange({ headers: { host: "localhost", cookie, ...more }, method, url }, response);
  const lines = (): readonly string[] => [headers.get("set-cookie") ?? []].flat();
  /** Sends the head, and gives the cookies that came with it. */
  const send = (): string => {
    response.writeHead();
    return lines()
      .filter((line) => !line.includes("Expires=Thu, 01 Jan 1970"))
      .map((line) => line.slice(0, line.indexOf(";")))
      .join("; ");
  };
  return { exchange, send, lines };
};
