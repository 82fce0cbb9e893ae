import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { configTemplate, documentedTemplate } from "../../config/config-template.js";
import { readConfigWithForm } from "../../config/read-config.js";
import { CommandError } from "../command-error.js";
import { type CommandOptions, examples, localCommand } from "../command-options.js";
import { formatTable } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface InitOptions extends CommandOptions {
  readonly documented?: true;
  readonly force?: true;
  readonly stdout?: true;
}

const read = ({ config }: CommandOptions, { env, cwd }: Terminal) => readConfigWithForm({ env, cwd, file: config });

const forms = { own: "Pawl's own form", documented: "the documented form, with core_config_version" } as const;

const check = (options: CommandOptions, terminal: Terminal): void => {
  const { config, form } = read(options, terminal);
  const text =
    form === undefined
      ? "No config.yaml here: development defaults, which are fine"
      : `The configuration is fine: ${config.path} (${forms[form]})`;
  printResult(terminal, options, { json: { ok: true, config: config.path ?? null, form: form ?? null }, text });
};

const init = (options: InitOptions, terminal: Terminal): void => {
  const template = options.documented === true ? documentedTemplate() : configTemplate();
  if (options.stdout === true) {
    terminal.stdout.write(template);
    return;
  }
  const path = resolve(terminal.cwd, options.config ?? "config.yaml");
  try {
    mkdirSync(dirname(path), { recursive: true });
    // The file may come to hold API keys.
    writeFileSync(path, template, { mode: 0o600, flag: options.force === true ? "w" : "wx" });
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    const exists = code === "EEXIST" && syscall === "open";
    throw new CommandError(
      exists
        ? `there is already a file ${path}: name another one with --config, or overwrite it with --force`
        : `cannot write ${path} (${code ?? "unknown error"})`,
      { exitCode: exists ? 2 : 1, cause },
    );
  }
  const next =
    options.documented === true
      ? ": set cookie_domain and refresh_api_path to those of your API, then  pawl start"
      : ", which works on this machine as it is:  pawl start";
  const text = `Wrote ${path}${next}`;
  printResult(terminal, options, { json: { config: path }, text });
};

const show = (options: CommandOptions, terminal: Terminal): void => {
  const { config } = read(options, terminal);
  const shown = config.settings.map(({ key, value = null, source }) => ({ key, value, source }));
  const table = formatTable(
    ["KEY", "FROM", "VALUE"],
    shown.map(({ key, value, source }) => [key, value === null ? "not set" : source, value ?? ""]),
  );
  printResult(terminal, options, {
    json: { config: config.path ?? null, settings: shown },
    text: `File: ${config.path ?? "none, development defaults"}\n\n${table}`,
  });
};

/** `pawl config check|init|show` */
export const addConfigCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("config").description("Check, write or show the configuration");
  examples(command, ["pawl config init", "a new config.yaml"], ["pawl config check", "what the start would say of it"]);
  localCommand(
    command
      .command("check")
      .description("Check the configuration as the start does, without starting")
      .action((options: CommandOptions) => check(options, terminal)),
    ["pawl config check", "./config.yaml and the environment"],
    ["pawl config check --config /etc/pawl/config.yaml", "another file"],
  );
  localCommand(
    command
      .command("init")
      .description("Write a new config.yaml")
      .option("--documented", "the documented form, with core_config_version: every key, explained")
      .option("--force", "overwrite the file")
      .option("--stdout", "print it instead of writing a file")
      .action((options: InitOptions) => init(options, terminal)),
    ["pawl config init", "writes ./config.yaml, never over an existing one"],
    ["pawl config init --documented --stdout", "prints every key, explained"],
    ["pawl config init --config /etc/pawl/config.yaml", "another file"],
  );
  localCommand(
    command
      .command("show")
      .description("Show every key, its value and where it comes from; secrets stay hidden")
      .action((options: CommandOptions) => show(options, terminal)),
    ["pawl config show --json", "for programs"],
  );
};
