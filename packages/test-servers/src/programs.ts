import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

interface Program {
  /** What a person calls it. */
  readonly title: string;
  /** The environment variable that names its executable. */
  readonly variable: string;
  /** Where packages put it; the first that exists is taken. */
  readonly places: () => readonly string[];
  /** Debian's package. */
  readonly package: string;
  /** Wanted by longer proofs only. */
  readonly isOptional?: boolean;
}

/** PostgreSQL stands in a folder for each major version; the newest is taken. */
const postgresPlaces = (): readonly string[] => {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => `${root}/${version}/bin/postgres`);
};

const programs = {
  chromium: {
    title: "Chromium",
    variable: "PAWL_CHROMIUM",
    places: () => ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
    package: "chromium",
  },
  firefox: {
    title: "Firefox",
    variable: "PAWL_FIREFOX",
    places: () => ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
    package: "firefox-esr",
    isOptional: true,
  },
  postgres: {
    title: "PostgreSQL",
    variable: "PAWL_POSTGRES",
    places: postgresPlaces,
    package: "postgresql",
  },
  pgbouncer: {
    title: "PgBouncer",
    variable: "PAWL_PGBOUNCER",
    places: () => ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"],
    package: "pgbouncer",
  },
  mariadbd: {
    title: "MariaDB",
    variable: "PAWL_MARIADBD",
    places: () => ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/bin/mariadbd"],
    package: "mariadb-server",
  },
  "redis-server": {
    title: "Redis",
    variable: "PAWL_REDIS_SERVER",
    places: () => ["/usr/bin/redis-server", "/usr/local/bin/redis-server"],
    package: "redis-server",
  },
  nginx: {
    title: "nginx",
    variable: "PAWL_NGINX",
    places: () => ["/usr/sbin/nginx", "/usr/bin/nginx"],
    package: "nginx-light",
  },
} satisfies Readonly<Record<string, Program>>;

/** A program that tests need and `npm ci` does not bring. */
export type ProgramName = keyof typeof programs;

const isProgram = (name: string): name is ProgramName => Object.hasOwn(programs, name);

/**
 * The path of an executable: the one that its environment variable names, or where packages put it. Programs that
 * come with it (`initdb`, `pgbench`, `redis-cli`) stand in the same folder.
 * @throws Error with one line that says how to get it.
 */
export const findProgram = (name: ProgramName): string => {
  const { title, variable, places, package: debian }: Program = programs[name];
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`${variable} names ${named}, which does not exist.`);
  }
  const found = places().find((place) => existsSync(place));
  if (found === undefined)
    throw new Error(
      `${title} is missing: install it (Debian: apt-get install ${debian}) or name its executable in ${variable}.`,
    );
  return found;
};

const NEEDED = Object.keys(programs)
  .filter(isProgram)
  .filter((name) => (programs[name] as Program).isOptional !== true);

const isMissing = (name: ProgramName): boolean => {
  try {
    findProgram(name);
    return false;
  } catch {
    return true;
  }
};

/** Servers that a package brings must not be started by its installation. */
const withoutStarting = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };

const installFromDebian = (packages: readonly string[]): void => {
  const apt = (...args: readonly string[]): void => {
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...withoutStarting },
    });
  };
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
};

/**
 * Finds every program that tests need, after installing Debian's packages of those that are missing where that is allowed (root, apt-get).
 * @param onInstall called with what is going to be installed, which takes a while.
 * @param names those that are wanted; all that `npm test` needs unless given.
 * @returns the environment variables that name them, for processes that are started next.
 * @throws Error with one line for each that is missing and cannot be installed.
 */
export const findOrInstallPrograms = (
  onInstall: (titles: readonly string[]) => void = () => undefined,
  names: readonly ProgramName[] = NEEDED,
): Readonly<Record<string, string>> => {
  const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  const wanted = names.filter((name) => isMissing(name) && !process.env[programs[name].variable]);
  if (mayInstall && wanted.length > 0) {
    onInstall(wanted.map((name) => programs[name].title));
    installFromDebian(wanted.map((name) => programs[name].package));
  }
  const missing: string[] = [];
  const found: Record<string, string> = {};
  for (const name of names)
    try {
      found[programs[name].variable] = findProgram(name);
    } catch (error) {
      missing.push((error as Error).message);
    }
  if (missing.length > 0) throw new Error(missing.join("\n"));
  return found;
};
