import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../guide-page.js";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A package as `npm publish` would send it. */
export interface PackedPackage {
  readonly manifest: Manifest;
  readonly tarball: string;
  /** The paths of what is in it. */
  readonly files: readonly string[];
}

/** By name. */
export type PackedPackages = ReadonlyMap<string, PackedPackage>;

/** Packs all packages that are published, once they have been built. */
export const packPackages = (target: string): PackedPackages => {
  const found = readdirSync(join(root, "packages")).map((name) => {
    const folder = join(root, "packages", name);
    return { folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest };
  });
  const published = found.filter(({ manifest }) => manifest.private !== true);
  const folders = published.map(({ folder }) => folder);
  const packed = JSON.parse(
    execFileSync("npm", ["pack", ...folders, "--json", "--pack-destination", target], { encoding: "utf8" }),
  ) as readonly { readonly filename: string; readonly files: readonly { readonly path: string }[] }[];
  return new Map(
    packed.map(({ filename, files }, index) => {
      const { manifest } = published[index]!;
      return [manifest.name, { manifest, tarball: join(target, filename), files: files.map(({ path }) => path) }];
    }),
  );
};

/** A package of ours, and those of ours that it needs. */
const withDependencies = (packages: PackedPackages, name: string): readonly string[] => {
  const needed = Object.keys(packages.get(name)?.manifest.dependencies ?? {}).filter((other) => packages.has(other));
  return [...new Set([name, ...needed.flatMap((other) => withDependencies(packages, other))])];
};

/** The folder of an application that holds nothing yet but its package.json. */
export const emptyApplication = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-published-"));
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  return folder;
};

const npmInstall = (folder: string, ...given: readonly string[]): void => {
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", ["install", ...flags, ...given], { cwd: folder });
};

/** Does what `npm install <name>` would do, had the packages been published. */
export const install = (folder: string, packages: PackedPackages, ...names: readonly string[]): void => {
  const needed = new Set(names.flatMap((name) => withDependencies(packages, name)));
  npmInstall(folder, ...[...needed].map((name) => packages.get(name)!.tarball));
};

/** Installs all packages, without the test runner that some have as a peer. */
export const installAll = (folder: string, packages: PackedPackages): void =>
  npmInstall(folder, "--legacy-peer-deps", ...[...packages.values()].map(({ tarball }) => tarball));

/** Lets an application find packages of others that this repository has installed. */
export const link = (folder: string, modules: string, ...names: readonly string[]): void => {
  for (const name of names) {
    const place = join(folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    symlinkSync(join(root, modules, name), place);
  }
};

/** Copies programs of `application` into an application. */
export const addPrograms = (folder: string, ...files: readonly string[]): void => {
  for (const file of files) cpSync(new URL(`application/${file}`, import.meta.url), join(folder, file));
};

/** As `module`; `esnext` stands for `moduleResolution` `bundler`. */
export const modules = ["nodenext", "node16", "esnext"] as const;

interface Compilation {
  readonly module: (typeof modules)[number];
  readonly files: readonly string[];
  readonly lib?: readonly string[];
  readonly types?: readonly string[];
  /** The program that compiles; TypeScript's of this repository unless given. */
  readonly compiler?: string;
}

/**
 * Compiles an application as strictly as TypeScript can, the declarations of all packages included.
 * @returns what the compiler complains of.
 */
export const compile = (folder: string, { module, files, lib, types, compiler }: Compilation): string => {
  const compilerOptions = {
    target: "es2022",
    lib: lib ?? ["es2023"],
    types: types ?? ["node"],
    module,
    moduleResolution: module === "esnext" ? "bundler" : module,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    rootDir: ".",
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  // Threads of our compiler do much of their work twice, and other tests run beside it.
  const flags = compiler === undefined ? ["--singleThreaded"] : [];
  return spawnSync(compiler ?? join(root, "node_modules/.bin/tsc"), flags, { cwd: folder, encoding: "utf8" }).stdout;
};

/** A program that imports every entry of these packages. */
export const importsOf = (entries: readonly string[]): string =>
  entries.map((entry, index) => `export * as entry${index} from "${entry}";\n`).join("");

/** Every entry of a package: `@pawl/node`, `@pawl/node/express`, … */
export const entriesOf = ({ manifest }: PackedPackage): readonly string[] =>
  Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1));

export const remove = (...folders: readonly string[]): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
};
