import type { RouteBody } from "@pawl/protocol";
import { type Command, Option } from "commander";
import { type CallOptions, callingCommand, examples } from "../command-options.js";
import { createApiClient } from "../api-client.js";
import { addRotateMasterCommand } from "./rotate-master-command.js";
import { formatTable, formatTime } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface RotateOptions extends CallOptions {
  readonly algorithm?: RouteBody<"rotateSigningKey">["algorithm"];
}

const list = async (options: CallOptions, terminal: Terminal): Promise<void> => {
  const answer = await createApiClient(options, terminal).call("listSigningKeys");
  const text = formatTable(
    ["KEY ID", "ALGORITHM", "KIND", "STATUS", "CREATED", "SIGNS FROM"],
    answer.keys.map(({ kid, algorithm, kind, status, createdAt, signsFrom }) => [
      kid,
      algorithm,
      kind,
      status,
      formatTime(createdAt),
      formatTime(signsFrom),
    ]),
  );
  printResult(terminal, options, { json: answer, text });
};

const rotate = async (options: RotateOptions, terminal: Terminal): Promise<void> => {
  const key = await createApiClient(options, terminal).call("rotateSigningKey", {
    body: { algorithm: options.algorithm },
  });
  printResult(terminal, options, {
    json: key,
    text: `New ${key.algorithm} key ${key.kid}: published now, signs from ${formatTime(key.signsFrom)}; tokens of the old one stay valid`,
  });
};

/** `pawl keys list|rotate|rotate-master` */
export const addKeysCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("keys").description("Signing keys of a running core; master keys");
  examples(command, ["pawl keys list", "which keys sign and verify"], ["pawl keys rotate", "a new one takes over"]);
  callingCommand(
    command
      .command("list")
      .description("List the signing keys; private halves are never shown")
      .action((options: CallOptions) => list(options, terminal)),
    ["pawl keys list", "of the core that ./config.yaml describes"],
    ["pawl keys list --url http://10.0.0.7:3567 --api-key-file ./key", "of another one"],
  );
  callingCommand(
    command
      .command("rotate")
      .description("Add a signing key that takes over once every verifier knows it; users stay logged in")
      .addOption(new Option("--algorithm <name>", "algorithm of the new key").choices(["ES256", "RS256"]))
      .action((options: RotateOptions) => rotate(options, terminal)),
    ["pawl keys rotate", "of the configured algorithm"],
    ["pawl keys rotate --algorithm RS256", "the key of the CDI dialects"],
  );
  addRotateMasterCommand(command, terminal);
};
