import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./programs.js";
import { accepts, freePort, serverFolder, startServer, type TestServer } from "./server-process.js";

/**
 * Starts an nginx before an HTTP server of the loopback address that caches as carelessly as one can configure it: every
 * method and status, whatever cookies are set; only what `Cache-Control` forbids is not kept. The answer's `X-Cache` says
 * `HIT` or `MISS`. `name` is the `Host` that the server is told; `settings` are further lines of the location.
 */
export const startCachingProxy = async (
  upstreamPort: number,
  { name: hostName = "localhost", settings: more = "" }: { readonly name?: string; readonly settings?: string } = {},
): Promise<TestServer> => {
  const folder = serverFolder("nginx");
  const port = await freePort();
  const host = "127.0.0.1";
  const settings = join(folder, "nginx.conf");
  for (const name of ["cache", "temporary"]) mkdirSync(join(folder, name));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((part) => `${part}_temp_path ${folder}/temporary;`)
    .join("\n  ");
  writeFileSync(
    settings,
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary}
  proxy_cache_path ${folder}/cache keys_zone=everything:4m;
  server {
    listen ${host}:${port};
    location / {
      proxy_pass http://${host}:${upstreamPort};
      proxy_set_header Host ${hostName};
      ${more}
      proxy_cache everything;
      proxy_cache_methods GET HEAD POST;
      proxy_cache_key "$request_method $request_uri";
      proxy_cache_valid any 10m;
      proxy_ignore_headers Set-Cookie Vary;
      add_header X-Cache $upstream_cache_status always;
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
  return { ...control, host, port, folder, url: `http://${host}:${port}` };
};
