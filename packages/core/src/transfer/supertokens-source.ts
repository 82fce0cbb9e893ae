import type { OriginalSession } from "@pawl/engine";
import { millis } from "@pawl/storage";
import type { ForeignRow, ForeignTables } from "@pawl/storage/adapter";
import { TransferError } from "./export-file.js";

/** A session of the core's table, as it stands there, or why it cannot be taken over. */
export type FoundSession =
  | { readonly original: OriginalSession; readonly refused?: undefined }
  | { readonly original?: undefined; readonly handle: string; readonly refused: string };

/** The tables of a SuperTokens core. */
export interface SuperTokensSource {
  /** With which the core seals its refresh tokens. */
  readonly refreshTokenKey: string;
  /** All its sessions, live or not, some at a time. */
  pages(): AsyncGenerator<readonly FoundSession[]>;
}

/** Rows that are read at once. */
const PAGE = 200;

const needed = [
  "session_handle",
  "user_id",
  "refresh_token_hash_2",
  "session_data",
  "expires_at",
  "created_at_time",
  "jwt_user_payload",
];

/**
 * Finds the tables of a core, of any version whose refresh tokens name their session (2.0 and later).
 * @param options.prefix of the tables' names, as the core's `*_table_names_prefix` says it.
 * @throws TransferError when they are not there; StorageError.
 */
export const findSuperTokens = async (
  tables: ForeignTables,
  { prefix }: { readonly prefix?: string | undefined } = {},
): Promise<SuperTokensSource> => {
  const named = (table: string): string => (prefix === undefined ? table : `${prefix}_${table}`);
  const sessions = named("session_info");
  const columns = await tables.columnsOf(sessions);
  if (columns.size === 0)
    throw new TransferError(
      `the database has no table ${sessions} here: name its schema in the URL (?schema=…), or the prefix of its tables with --table-prefix`,
    );
  const missing = needed.filter((column) => !columns.has(column));
  if (missing.length > 0)
    throw new TransferError(`the table ${sessions} is none of a SuperTokens core: it lacks ${missing.join(", ")}`);
  const refusals = await readRefusals(tables, named);

  return {
    refreshTokenKey: await readKey(tables, named("key_value")),
    async *pages() {
      const key = [...(columns.has("app_id") ? ["app_id", "tenant_id"] : []), "session_handle"];
      let after: readonly string[] | undefined;
      for (;;) {
        const rows = await tables.rowsAfter(sessions, { key, after, limit: PAGE });
        const refused = await refusals(rows);
        yield rows.map((row) => found(row, refused(row)));
        if (rows.length < PAGE) return;
        after = key.map((column) => String(rows.at(-1)?.[column]));
      }
    },
  };
};

/** The tenants of a core share the key of their application. */
const readKey = async (tables: ForeignTables, table: string): Promise<string> => {
  const columns = await tables.columnsOf(table);
  const rows = columns.has("name") ? await tables.rowsWith(table, { name: ["refresh_token_key"] }) : [];
  const row = rows.find((one) => isPublic(one["app_id"]) && isPublic(one["tenant_id"]));
  const value = row?.["value"];
  if (typeof value !== "string" || value === "")
    throw new TransferError(
      `the table ${table} has no refresh_token_key, so that no refresh token of this core can be accepted (those of core 1, which end in .V0, name no session)`,
    );
  return value;
};

/** Cores before 6.0 have neither applications nor tenants. */
const isPublic = (id: ForeignRow[string] | undefined): boolean => id === undefined || id === null || id === "public";

type Refusals = (rows: readonly ForeignRow[]) => Promise<(row: ForeignRow) => string | undefined>;

/** Why sessions cannot go on: what they belong to is not here, or they would name another user than the application knows. */
const readRefusals = async (tables: ForeignTables, named: (table: string) => string): Promise<Refusals> => {
  const mapping = named("userid_mapping");
  const users = named("app_id_to_user_id");
  const [ofMapping, ofUsers] = [await tables.columnsOf(mapping), await tables.columnsOf(users)];
  const hasMapping = ofMapping.has("external_user_id");
  const hasUsers = ofUsers.has("primary_or_recipe_user_id");
  // The keys of these tables begin with the application: without it every page would be a search of all users.
  const among = (columns: ReadonlySet<string>) => (columns.has("app_id") ? { app_id: ["public"] } : {});
  return async (rows) => {
    const ids = [...new Set(rows.map((row) => String(row["user_id"])))];
    const mapped = new Set<string>();
    const linked = new Set<string>();
    if (ids.length > 0 && hasMapping)
      for (const column of ["supertokens_user_id", "external_user_id"])
        for (const row of await tables.rowsWith(mapping, { ...among(ofMapping), [column]: ids }))
          mapped.add(trimmed(row[column]));
    if (ids.length > 0 && hasUsers)
      for (const row of await tables.rowsWith(users, { ...among(ofUsers), user_id: ids }))
        if (trimmed(row["primary_or_recipe_user_id"]) !== trimmed(row["user_id"])) linked.add(trimmed(row["user_id"]));
    return ({ app_id: application, user_id: user }) => {
      if (!isPublic(application)) return "it belongs to an application other than public";
      if (mapped.has(String(user))) return "its user has a second id by user id mapping";
      return linked.has(String(user)) ? "its user is linked to another one by account linking" : undefined;
    };
  };
};

/** Ids of users are of the type CHAR, which pads with blanks. */
const trimmed = (id: ForeignRow[string] | undefined): string => String(id).trimEnd();

const found = (row: ForeignRow, refused: string | undefined): FoundSession => {
  const text = (column: string): string => String(row[column] ?? "");
  const sessionHandle = text("session_handle");
  if (refused !== undefined) return { handle: sessionHandle, refused };
  return {
    original: {
      sessionHandle,
      tenantId: row["tenant_id"] === undefined ? "public" : text("tenant_id"),
      userId: text("user_id"),
      refreshTokenHash2: text("refresh_token_hash_2"),
      payload: text("jwt_user_payload"),
      data: text("session_data"),
      createdAt: millis(Number(row["created_at_time"])),
      expiresAt: millis(Number(row["expires_at"])),
      // Cores before 5.0 had one kind of keys.
      usesStaticKey: row["use_static_key"] === true || row["use_static_key"] === 1,
    },
  };
};
