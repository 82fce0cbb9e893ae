import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { ConfigError } from "../../src/config/config-error.js";
import { readConfig } from "../../src/config/read-config.js";
import type { ConfigInput } from "../../src/config/read-config.js";

/** The compulsory keys. */
export const compulsory = `core_config_version: 0
refresh_api_path: /session/refresh
cookie_domain: api.example.com
`;

/** A folder of its own for the files of one test file, removed afterwards. */
export const configFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-config-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string | Uint8Array, name = "config.yaml"): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  return {
    folder,
    write,
    /** Reads a file with this text and no environment but the one given. */
    read: (text: string, input: ConfigInput = {}) => readConfig({ env: {}, cwd: folder, ...input, file: write(text) }),
    /** The error that a file with this text gives. */
    fault: (text: string, input: ConfigInput = {}): ConfigError =>
      faultOf(() => readConfig({ env: {}, cwd: folder, ...input, file: write(text) })),
  };
};

/** The ConfigError that a call throws. */
export const faultOf = (call: () => unknown): ConfigError => {
  try {
    call();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("no ConfigError was thrown");
};
