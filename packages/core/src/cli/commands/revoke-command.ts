import type { RouteBody } from "@pawl/protocol";
import type { Command } from "commander";
import { CommandError, usageError } from "../command-error.js";
import { type CallOptions, callingCommand, someText } from "../command-options.js";
import { type ApiClient, createApiClient } from "../api-client.js";
import { createProgress } from "../progress.js";
import { confirm, jsonText, printResult, type Terminal } from "../terminal.js";

interface RevokeOptions extends CallOptions {
  readonly user?: string;
  readonly except?: string;
  readonly tenant?: string;
  readonly detail?: string;
  readonly yes?: true;
}

/** Most handles that one request may carry. */
const BATCH = 10_000;
/** How many sessions of a tenant one request ends: it is answered within a second, and progress is seen. */
const STEP = 1000;
/** How far sessions of a tenant are counted before the question. */
const COUNTED = 500;

/** What the arguments select; wrong combinations are refused before anything is asked. */
const selection = (handles: readonly string[], { user, except, tenant }: RevokeOptions) => {
  if (except !== undefined && user === undefined) throw usageError("--except needs --user");
  if (handles.length > 0) {
    if (user !== undefined || tenant !== undefined)
      throw usageError("give handles, or --user, or --tenant, not several of them");
    return { kind: "handles", handles } as const;
  }
  if (user !== undefined) return { kind: "user", user, except, tenant } as const;
  if (tenant !== undefined) return { kind: "tenant", tenant } as const;
  throw usageError("say which sessions: handles, --user <id> or --tenant <id>");
};

type Selection = ReturnType<typeof selection>;

const bodies = (selected: Selection, detail: string | undefined): readonly RouteBody<"revokeSessions">[] => {
  const cause = { reason: "revoked_by_admin", detail } as const;
  switch (selected.kind) {
    case "handles":
      return Array.from({ length: Math.ceil(selected.handles.length / BATCH) }, (_, index) => ({
        handles: selected.handles.slice(index * BATCH, (index + 1) * BATCH),
        ...cause,
      }));
    case "user":
      return [
        {
          userId: selected.user,
          tenantId: selected.tenant,
          except: selected.except,
          ...cause,
        },
      ];
    case "tenant":
      return [{ allOfTenant: selected.tenant, limit: STEP, ...cause }];
  }
};

/** Says what is about to end, counted as far as one request counts. */
const question = async (client: ApiClient, selected: Exclude<Selection, { kind: "handles" }>): Promise<string> => {
  if (selected.kind === "tenant") {
    const { sessions, next } = await client.call("listSessions", {
      query: { tenantId: selected.tenant, limit: COUNTED },
    });
    const count = next === undefined ? `${sessions.length}` : `more than ${COUNTED}`;
    return `End all sessions of tenant ${jsonText(selected.tenant)} (${count})?`;
  }
  const { user, tenant, except } = selected;
  const { handles } = await client.call("listSessionHandles", {
    query: { userId: user, tenantId: tenant },
  });
  const count = handles.filter((handle) => handle !== except).length;
  return `End all sessions of user ${jsonText(user)}${except === undefined ? "" : " but one"} (${count})?`;
};

const revoke = async (handles: readonly string[], options: RevokeOptions, terminal: Terminal): Promise<void> => {
  const selected = selection(handles, options);
  const client = createApiClient(options, terminal);
  if (
    selected.kind !== "handles" &&
    options.yes !== true &&
    !(await confirm(terminal, await question(client, selected)))
  )
    throw new CommandError("nothing was revoked: the question was not answered with y (--yes answers it in scripts)");
  const progress = createProgress(terminal, { total: undefined, quiet: options.json === true });
  const revoked: string[] = [];
  try {
    for (const body of bodies(selected, options.detail)) {
      let after: string | undefined;
      do {
        const answer = await client.call("revokeSessions", { body: { ...body, after } });
        revoked.push(...answer.revoked);
        progress.show(revoked.length, `${revoked.length} sessions`);
        after = answer.next;
      } while (after !== undefined);
    }
  } catch (error) {
    if (revoked.length === 0) throw error;
    throw new CommandError(
      `${(error as Error).message}; ${revoked.length} sessions were revoked before that: repeat the command for the others`,
      { cause: error },
    );
  } finally {
    progress.clear();
  }
  const ended = new Set(revoked);
  const notLive = [...new Set(handles)].filter((handle) => !ended.has(handle));
  const text = `Revoked ${revoked.length} ${revoked.length === 1 ? "session" : "sessions"}`;
  printResult(terminal, options, {
    json: { revoked },
    text: [text, ...notLive.map((handle) => `Was not live: ${handle}`)].join("\n"),
  });
};

/** `pawl sessions revoke` */
export const addRevokeCommand = (parent: Command, terminal: Terminal): void => {
  callingCommand(
    parent
      .command("revoke")
      .description("End sessions: the handles given, or all of a user, or all of a tenant")
      .argument("[handles...]", "session handles")
      .option("--user <id>", "all sessions of this user (of the tenant of --tenant, else of public)", someText)
      .option("--except <handle>", "except this one", someText)
      .option("--tenant <id>", "all sessions of this tenant, or with --user the tenant of the user", someText)
      .option("--detail <text>", "note for the audit trail, such as who asked", someText)
      .option("-y, --yes", "do not ask")
      .action((handles: string[], options: RevokeOptions) => revoke(handles, options, terminal)),
    ["pawl sessions revoke 5d0f… 81c2…", "these, without a question"],
    ["pawl sessions revoke --user alice --except 5d0f…", "all others of a user"],
    ["pawl sessions revoke --tenant acme --yes", "all users of a tenant"],
  );
};
