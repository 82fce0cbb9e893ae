import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateFiles } from "./certificates.js";
import { findProgram } from "./programs.js";
import { accepts, freePort, serverFolder, startServer, type TestServer } from "./server-process.js";

const host = "127.0.0.1";

/** Where an nginx keeps its files, and listens. */
interface NginxPlace {
  readonly folder: string;
  /** Address and port, as `listen` takes them. */
  readonly listen: string;
}

/**
 * Starts an nginx with its defaults in all that is not said.
 * @param http what stands in `http { … }`, with a server that listens where it is told.
 * @param scheme of the URL that the server is reached by.
 */
export const startNginx = async (
  http: (place: NginxPlace) => string,
  { scheme = "http" }: { readonly scheme?: "http" | "https" } = {},
): Promise<TestServer> => {
  const folder = serverFolder("nginx");
  const port = await freePort();
  const settings = join(folder, "nginx.conf");
  for (const name of ["cache", "temporary"]) mkdirSync(join(folder, name));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (part) => `${part}_temp_path ${folder}/temporary;`,
  );
  writeFileSync(
    settings,
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary.join("\n  ")}
  ${http({ folder, listen: `${host}:${port}` })}
}
`,
  );
  const control = await startServer({
    name: "nginx",
    command: findProgram("nginx"),
    args: ["-c", settings, "-e", `${folder}/error.log`],
    folder,
    isReady: () => accepts(port),
  });
  return { ...control, host, port, folder, url: `${scheme}://${host}:${port}` };
};

interface LocationOptions {
  /** Lines of the location, beside `proxy_pass`. */
  readonly location: readonly string[];
  /** Lines beside the server. */
  readonly http?: (folder: string) => readonly string[];
  /** What it ends TLS with, over HTTP/2 too. */
  readonly certificate?: CertificateFiles | undefined;
}

/** Starts an nginx that passes everything on to an HTTP server of the loopback address. */
const startBefore = (
  upstreamPort: number,
  { location, http = () => [], certificate }: LocationOptions,
): Promise<TestServer> => {
  const tls =
    certificate === undefined
      ? []
      : [`ssl_certificate ${certificate.cert};`, `ssl_certificate_key ${certificate.key};`];
  const server = ({ folder, listen }: NginxPlace): string => `${http(folder).join("\n  ")}
  server {
    listen ${listen}${certificate === undefined ? "" : " ssl http2"};
    ${tls.join("\n    ")}
    location / {
      proxy_pass http://${host}:${upstreamPort};
      ${location.join("\n      ")}
    }
  }`;
  return startNginx(server, { scheme: certificate === undefined ? "http" : "https" });
};

/**
 * Starts an nginx before an HTTP server of the loopback address, with its defaults in all that is not said: it passes its own
 * address as `Host`.
 * @param options.settings lines of the location.
 * @param options.certificate what it ends TLS with, over HTTP/2 too.
 */
export const startProxy = (
  upstreamPort: number,
  { settings = "", certificate }: { readonly settings?: string; readonly certificate?: CertificateFiles } = {},
): Promise<TestServer> => startBefore(upstreamPort, { location: [settings], certificate });

/**
 * Starts an nginx before an HTTP server of the loopback address that caches as carelessly as one can configure it: every
 * method and status, whatever cookies are set; only what `Cache-Control` forbids is not kept. The answer's `X-Cache` says
 * `HIT` or `MISS`. `name` is the `Host` that the server is told; `settings` are further lines of the location.
 */
export const startCachingProxy = (
  upstreamPort: number,
  { name = "localhost", settings = "" }: { readonly name?: string; readonly settings?: string } = {},
): Promise<TestServer> =>
  startBefore(upstreamPort, {
    http: (folder) => [`proxy_cache_path ${folder}/cache keys_zone=everything:4m;`],
    location: [
      `proxy_set_header Host ${name};`,
      settings,
      "proxy_cache everything;",
      "proxy_cache_methods GET HEAD POST;",
      'proxy_cache_key "$request_method $request_uri";',
      "proxy_cache_valid any 10m;",
      "proxy_ignore_headers Set-Cookie Vary;",
      "add_header X-Cache $upstream_cache_status always;",
    ],
  });
