import { checkOptions, hook, list, type OptionTable, time } from "./option.js";

/** A request that shows a cookie of the system from before. */
export interface FormerRequest {
  /** The value of a cookie, percent-decoded; the first where there are several of the name. */
  cookie(name: string): string | undefined;
  /** A header; `name` in lower case. */
  header(name: string): string | undefined;
}

/** A live session of the system from before. */
export type FormerLogin<Payload extends object, Data extends object> = {
  readonly userId: string;
  /**
   * What that system calls the session, and no other. Not the text of a cookie that can be written in two ways, as a JWT can:
   * what was ended under one would come back under the other.
   */
  readonly id: string;
  /** `public` unless given. */
  readonly tenantId?: string | undefined;
  /** Loaded by `loadPayload` unless given, where there is one. */
  readonly payload?: Payload | undefined;
  readonly data?: Data | undefined;
  /** When it began, which the absolute timeout and `maxAge` count from (ms since the epoch, or a `Date`); now unless given. */
  readonly createdAt?: number | Date | undefined;
};

/** What an application says of a login whose session has a name already. */
export type NamedLogin<Payload extends object, Data extends object> = Omit<FormerLogin<Payload, Data>, "id"> &
  Partial<Pick<FormerLogin<Payload, Data>, "id">>;

/** Sessions of another system, which go on here without a new login. */
export interface Adoption<Payload extends object, Data extends object> {
  /** The cookies of that system: a request with one of them, and none of Pawl's, is asked about, where the answer can set cookies. */
  readonly cookies: readonly string[];
  /** Until when: a `Date`, a text such as `"2027-03-31"`, or ms since the epoch. */
  readonly until: Date | string | number;
  /** Reads the session from before; undefined: there is none. What it throws is answered 503, and nobody is logged out. */
  readonly load: (
    request: FormerRequest,
  ) => FormerLogin<Payload, Data> | undefined | Promise<FormerLogin<Payload, Data> | undefined>;
}

const isCookieName = (value: unknown): boolean =>
  typeof value === "string" && /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(value);

const adoptionTable = {
  cookies: list<string>("a list of cookie names", isCookieName, 1),
  until: time(),
  load: hook(),
} as const satisfies OptionTable;

/** @throws TypeError for what cannot be right. */
export const checkAdoption = (adoption: Adoption<object, object>): void => {
  const { cookies = null, until = null, load = null, ...rest } = adoption as Partial<Adoption<object, object>>;
  checkOptions({ ...rest, cookies, until, load }, adoptionTable, { within: "adopt." });
};
