import { join } from "node:path";
import { expect, test } from "vitest";
import { configNames, configKey } from "../../src/config/config-keys.js";
import { configReference } from "../../src/config/config-reference.js";
import { configTemplate, documentedTemplate } from "../../src/config/config-template.js";
import { readConfig, readConfigWithForm } from "../../src/config/read-config.js";
import { configFolder } from "./config-folder.js";

const { folder, read, write } = configFolder();

test("docs/reference/configuration.md is made from the table (-u writes it anew)", async () => {
  await expect(configReference()).toMatchFileSnapshot("../../../../docs/reference/configuration.md");
});

test("a short file is accepted as it stands, of Pawl's own form, and means the defaults", () => {
  const file = write(configTemplate());
  const { config, form } = readConfigWithForm({ file, env: {}, cwd: folder });
  expect(form).toBe("own");
  expect(config).toEqual({ ...read(""), settings: expect.any(Array) as unknown });
  const lines = configTemplate().split("\n");
  expect(lines.filter((line) => /^[a-z]/.test(line))).toEqual([
    "storage: sqlite:./pawl.db",
    "host: localhost",
    "port: 3567",
  ]);
  expect(lines.length).toBeLessThan(30);
});

test("each line of a short file does what it shows when its # is taken away", () => {
  const uncommented = configTemplate()
    .replace(/^# (?=[a-z_]+: )/gm, "")
    .replaceAll("<at least 20 characters>", "0123456789-abcdefgh=");
  expect(read(uncommented)).toMatchObject({
    apiKeys: ["0123456789-abcdefgh="],
    policy: { idleTimeout: 1_800_000, absoluteTimeout: 30 * 86_400_000 },
  });
});

test("a documented file is accepted as it stands, and means the defaults", () => {
  const { cookies, ...config } = read(documentedTemplate());
  const defaults = readConfig({ env: {}, cwd: join(folder, "nothing-here") });
  expect(config).toEqual({
    ...defaults,
    cookies: undefined,
    path: join(folder, "config.yaml"),
    mode: "PRODUCTION",
    storage: `sqlite:${join(folder, "pawl.db")}`,
    settings: expect.any(Array) as unknown,
  });
  expect(cookies).toEqual({ ...defaults.cookies, domain: "localhost", secure: true });
});

test("a documented file holds every key once, and each line does what it shows when its # is taken away", () => {
  const template = documentedTemplate();
  for (const name of configNames.filter((name) => configKey(name).environmentOnly !== true))
    expect(template.match(new RegExp(`^(# )?${name}:`, "gm")), name).toHaveLength(1);
  const uncommented = template
    .replace(/^# (?=[a-z_0-9]+: )/gm, "")
    .replaceAll("<at least 20 characters>", "0123456789-abcdefgh=");
  expect(read(uncommented)).toMatchObject({
    port: 3567,
    mode: "PRODUCTION",
    masterKeyFile: join(folder, "master.key"),
    apiKeys: ["0123456789-abcdefgh="],
    ipAllow: ["127.0.0.1", "10.0.0.0/8"],
    infoLogPath: join(folder, "logs/info.log"),
    policy: {
      idleTimeout: 1_800_000,
      absoluteTimeout: 30 * 86_400_000,
      maxSessionsPerUser: 10,
      eventRetention: 90 * 86_400_000,
    },
  });
});
