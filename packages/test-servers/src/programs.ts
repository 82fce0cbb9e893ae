import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

interface Program {
  /** What a person calls it. */
  readonly title: string;
  /** The environment variable that names its executable. */
  readonly variable: string;
  /** Where packages put it; the first that exists is taken. */
  readonly places: () => readonly string[];
  /** Debian's packages, with blanks between them. */
  readonly package: string;
  /** Tests that need it are skipped where it cannot be had. */
  readonly isSkippable?: boolean;
  /** Wanted by longer proofs only. */
  readonly isOptional?: boolean;
}

/** PostgreSQL stands in a folder for each major version; the newest is taken. */
const postgresPlaces = (): readonly string[] => {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => `${root}/${version}/bin/postgres`);
};

/** Modules of Debian's packages, which its own interpreter finds, and no other one does. */
const debianPython = ["jwt", "cryptography"].map((module) => `/usr/lib/python3/dist-packages/${module}`);

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
  python: {
    title: "Python with PyJWT",
    variable: "PAWL_PYTHON",
    places: () => (debianPython.every((module) => existsSync(module)) ? ["/usr/bin/python3"] : []),
    package: "python3-jwt python3-cryptography",
    isSkippable: true,
  },
  promtool: {
    title: "Prometheus' promtool",
    variable: "PAWL_PROMTOOL",
    places: () => ["/usr/bin/promtool", "/usr/local/bin/promtool"],
    package: "prometheus",
    isSkippable: true,
  },
  "systemd-analyze": {
    title: "systemd-analyze",
    variable: "PAWL_SYSTEMD_ANALYZE",
    places: () => ["/usr/bin/systemd-analyze"],
    package: "systemd",
    isSkippable: true,
  },
  "docker-compose": {
    title: "docker-compose",
    variable: "PAWL_DOCKER_COMPOSE",
    places: () => ["/usr/bin/docker-compose", "/usr/local/bin/docker-compose"],
    package: "docker-compose",
    isSkippable: true,
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

/** The line that says how to get a program which is not there; undefined where it is. */
export const whyMissing = (name: ProgramName): string | undefined => {
  try {
    findProgram(name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
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
 * @throws Error with one line for each that is missing, cannot be installed, and whose tests cannot be skipped.
 */
export const findOrInstallPrograms = (
  onInstall: (titles: readonly string[]) => void = () => undefined,
  names: readonly ProgramName[] = NEEDED,
): Readonly<Record<string, string>> => {
  const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  const wanted = names.filter((name) => whyMissing(name) !== undefined && !process.env[programs[name].variable]);
  if (mayInstall && wanted.length > 0) {
    onInstall(wanted.map((name) => programs[name].title));
    installFromDebian(wanted.flatMap((name) => programs[name].package.split(" ")));
  }
  const missing: string[] = [];
  const found: Record<string, string> = {};
  for (const name of names) {
    const why = whyMissing(name);
    if (why === undefined) found[programs[name].variable] = findProgram(name);
    else if ((programs[name] as Program).isSkippable !== true) missing.push(why);
  }
  if (missing.length > 0) throw new Error(missing.join("\n"));
  return found;
};
