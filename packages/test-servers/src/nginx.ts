import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateFiles } from "./certificates.js";
import { findProgram } from "./programs.js";
import { accepts, freePort, serverFolder, startServer, type TestServer } from "./server-process.js";

const host = "127.0.0.1";

interface NginxOptions {
  /** Lines of the location, beside `proxy_pass`. */
  readonly location: readonly string[];
  /** Lines beside the server. */
  readonly http?: (folder: string) => readonly string[];
  /** What it ends TLS with, over HTTP/2 too. */
  readonly certificate?: CertificateFiles | undefined;
}

/** Starts an nginx before an HTTP server of the loopback address, with its defaults in all that is not said. */
const startNginx = async (
  upstreamPort: number,
  { location, http = () => [], certificate }: NginxOptions,
): Promise<TestServer> => {
  const folder = serverFolder("nginx");
  const port = await freePort();
  const settings = join(folder, "nginx.conf");
  for (const name of ["cache", "temporary"]) mkdirSync(join(folder, name));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (part) => `${part}_temp_path ${folder}/temporary;`,
  );
  const tls =
    certificate === undefined
      ? []
      : [`ssl_certificate ${certificate.cert};`, `ssl_certificate_key ${certificate.key};`];
  writeFileSync(
    settings,
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${[...temporary, ...http(folder)].join("\n  ")}
  server {
    listen ${host}:${port}${certificate === undefined ? "" : " ssl http2"};
    ${tls.join("\n    ")}
    location / {
      proxy_pass http://${host}:${upstreamPort};
      ${location.join("\n      ")}
    }
  }
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
  return { ...control, host, port, folder, url: `${certificate === undefined ? "http" : "https"}://${host}:${port}` };
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
): Promise<TestServer> => startNginx(upstreamPort, { location: [settings], certificate });

/**
 * Starts an nginx before an HTTP server of the loopback address that caches as carelessly as one can configure it: every
 * method and status, whatever cookies are set; only what `Cache-Control` forbids is not kept. The answer's `X-Cache` says
 * `HIT` or `MISS`. `name` is the `Host` that the server is told; `settings` are further lines of the location.
 */
export const startCachingProxy = (
  upstreamPort: number,
  { name = "localhost", settings = "" }: { readonly name?: string; readonly settings?: string } = {},
): Promise<TestServer> =>
  startNginx(upstreamPort, {
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
