import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";

/** A file of the page, as it is sent. */
export interface DashboardFile {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly gzip: Uint8Array;
  /** Whether its name changes with what is in it. */
  readonly isImmutable: boolean;
}

const PUBLIC = new URL("../dist/public/", import.meta.url);
const PAGE = "index.html";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

/**
 * Reads the page as it was built. All links in it are relative to `/dashboard`, at which it has to be served.
 * @returns the files by their path below `/dashboard/`; that of the page itself is empty.
 * @throws an error with the code `ENOENT` where the page was not built: `npm run build`.
 */
export const readDashboardFiles = async (): Promise<ReadonlyMap<string, DashboardFile>> => {
  const names = await readdir(PUBLIC);
  const files = names.map(async (name) => {
    const body = await readFile(new URL(name, PUBLIC));
    const contentType = contentTypes[extname(name)] ?? "application/octet-stream";
    const file = { contentType, body, gzip: gzipSync(body, { level: 9 }), isImmutable: /-[A-Z0-9]{8}\./.test(name) };
    return [name === PAGE ? "" : name, file] as const;
  });
  return new Map(await Promise.all(files));
};
