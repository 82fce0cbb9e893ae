import type { CoreHost } from "./options.js";
import { generalError } from "./session-error.js";

/** The address of a core's host. @throws SessionError `GENERAL_ERROR` for what names no host. */
export const coreUrl = (host: CoreHost | string): URL => {
  try {
    if (typeof host === "string") {
      const url = new URL(host);
      if (url.protocol === "http:" || url.protocol === "https:") return url;
    } else if (host.hostname !== "" && Number.isInteger(host.port)) {
      const name = host.hostname.includes(":") && !host.hostname.startsWith("[") ? `[${host.hostname}]` : host.hostname;
      return new URL(`http://${name}:${host.port}`);
    }
  } catch {
    // Told below, in one way.
  }
  throw generalError(`a core must be {hostname, port} or an http(s) URL, not ${JSON.stringify(host)}`);
};
