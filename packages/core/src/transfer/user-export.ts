import { handleOf, providerLoginOf } from "@pawl/engine";
import type { EventRecord, Page, PageRequest, SessionRecord, Storage, TenantId, UserId } from "@pawl/storage";

/** Rows that are read at once. */
const PAGE = 25;

/**
 * Everything that is stored about a user, as one readable JSON document in pieces of text: all sessions, live or not, and
 * all events. Payload and data are included unchanged; the hash of a session's secret, which says nothing about the user,
 * is not.
 */
export async function* exportUser(
  storage: Storage,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
): AsyncGenerator<string> {
  yield `{\n  "user": ${JSON.stringify(user.userId)},\n  "tenant": ${JSON.stringify(user.tenantId)},\n  "exportedAt": ${time(storage.now())},\n  "sessions": [`;
  const seen = new Set<string>();
  let before = "";
  for await (const record of all((page) => storage.listSessionHistory(user, page))) {
    if (seen.has(record.id)) continue;
    seen.add(record.id);
    yield `${before}\n    ${sessionText(record)}`;
    before = ",";
  }
  yield `\n  ],\n  "events": [`;
  before = "";
  for await (const event of all((page) => storage.listEvents(user, page))) {
    yield `${before}\n    ${eventText(event)}`;
    before = ",";
  }
  yield "\n  ]\n}\n";
}

async function* all<T>(list: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined;
  do {
    const page = await list({ limit: PAGE, after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

const time = (at: number): string => JSON.stringify(new Date(at).toISOString());

const members = (values: Readonly<Record<string, string | undefined>>): string =>
  `{${Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `"${name}": ${String(value)}`)
    .join(", ")}}`;

const quoted = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : JSON.stringify(text);

/** Whom somebody acts for is no data of theirs. */
const authenticationText = ({ facts }: SessionRecord): string | undefined => {
  const { auth } = JSON.parse(facts) as { readonly auth?: object };
  return auth && JSON.stringify(auth);
};

const loginText = (record: SessionRecord): string | undefined => {
  const login = providerLoginOf(record);
  return login && JSON.stringify(login);
};

const sessionText = (record: SessionRecord): string =>
  members({
    handle: quoted(handleOf(record)),
    device: quoted(record.device),
    address: quoted(record.address),
    createdAt: time(record.createdAt),
    refreshedAt: record.issuedAt === 0 ? undefined : time(record.issuedAt),
    lastActiveAt: time(record.lastActiveAt),
    expiresAt: time(record.expiresAt),
    endedAt: record.endedAt === undefined ? undefined : time(record.endedAt),
    endReason: quoted(record.endReason),
    boundTo: record.bound === "" ? undefined : quoted(record.bound),
    identityProvider: loginText(record),
    payload: record.payload,
    data: record.data,
    authentication: authenticationText(record),
  });

const eventText = ({ sessionId, tenantId, at, type, reason, detail, count }: EventRecord): string =>
  members({
    at: time(at),
    type: quoted(type),
    handle: sessionId && tenantId && quoted(handleOf({ id: sessionId, tenantId })),
    reason: quoted(reason),
    detail,
    count: String(count),
  });
