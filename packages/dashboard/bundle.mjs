// Bundles the page into dist/public; part of `npm run build`, after the compiler has checked its types.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const source = join(here, "src/page");
const target = join(here, "dist/public");
const require = createRequire(import.meta.url);

/** What the page is made of besides our own code, whose licences ask to be handed on. */
const licences = ["preact", "uplot"].map((name) => join(dirname(require.resolve(name)), "../LICENSE"));

const { outputFiles } = await build({
  entryPoints: [join(source, "main.tsx"), join(source, "style.css")],
  outdir: target,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  write: false,
});
const named = new Map(outputFiles.map(({ path }) => [extname(path), basename(path)]));
const page = (await readFile(join(source, "index.html"), "utf8"))
  .replace("main.js", named.get(".js") ?? "")
  .replace("style.css", named.get(".css") ?? "");

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
for (const { path, contents } of outputFiles) await writeFile(path, contents);
await writeFile(join(target, "index.html"), page);
await writeFile(join(target, "icon.svg"), await readFile(join(source, "icon.svg")));
const texts = await Promise.all(licences.map((path) => readFile(path, "utf8")));
await writeFile(join(target, "licences.txt"), texts.join("\n\n"));
