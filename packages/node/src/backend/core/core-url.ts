/** Where a core listens, over plain HTTP as the SuperTokens 1.0 SDK has it. */
export interface CoreHost {
  readonly hostname: string;
  readonly port: number;
}

/**
 * The address of a core's host.
 * @throws TypeError for what names no host, or holds a user name or a password: nothing would send them.
 */
export const coreUrl = (host: CoreHost | string): URL => {
  const url = readUrl(host);
  if (url !== undefined && url.username === "" && url.password === "") return url;
  throw new TypeError("a core must be {hostname, port} or an http(s) URL, without user name and password");
};

const readUrl = (host: CoreHost | string): URL | undefined => {
  try {
    if (typeof host === "string") {
      const url = new URL(host);
      return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
    }
    if (host.hostname === "" || !Number.isInteger(host.port)) return undefined;
    const name = host.hostname.includes(":") && !host.hostname.startsWith("[") ? `[${host.hostname}]` : host.hostname;
    return new URL(`http://${name}:${host.port}`);
  } catch {
    return undefined;
  }
};
