import type { Session } from "../session.js";
import {
  checkOptions,
  duration,
  durationOf,
  either,
  flag,
  hook,
  list,
  type OptionsOf,
  type OptionTable,
  text,
} from "./option.js";

/** What a claim and the quoted text of a header can carry alike. */
const CLAIM = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const isClaim = (value: unknown): boolean => typeof value === "string" && CLAIM.test(value);

export const conditionTable = {
  /** Whether an unsafe request has to come from an own page; `false` for forms that an identity provider posts. */
  csrf: flag(true),
  /** Who may pass; others are `FORBIDDEN`. */
  where: hook<unknown>(),
  /** Whether administrators pass who act for a user; `false`: they are `FORBIDDEN`. */
  actor: flag(true),
  /** How long ago the user may have logged in or stepped up, counted in whole seconds; others get `STEP_UP`. */
  maxAge: duration(undefined, { least: 1 }),
  /** How the user has to have done so, by the names of RFC 8176: all of them. Others get `STEP_UP`. */
  methods: list<string>('a list of names such as "otp"', isClaim),
  /** How sure that has to have been (`acr`): one of these. Others get `STEP_UP`. */
  level: either(text('a level such as "aal2"', CLAIM), list<string>("a list of such", isClaim, 1)),
} as const satisfies OptionTable;

/**
 * Who may pass.
 * @example
 * const isAdmin = requireSession({ where: ({ payload }) => payload.role === "admin" });
 * const hasJustConfirmed = requireSession({ maxAge: "5m", methods: ["otp"] });
 */
export type Conditions<Payload extends object, Data extends object> = OptionsOf<typeof conditionTable> & {
  readonly where?: ((session: Session<Payload, Data>) => boolean | Promise<boolean>) | undefined;
};

/** How sure it has to be who is there. */
export interface Assurance {
  /** Seconds. */
  readonly maxAge: number | undefined;
  readonly methods: readonly string[];
  readonly levels: readonly string[];
}

/** What a route requires of a request with a session. */
export interface Requirement {
  readonly csrf: boolean | undefined;
  readonly where: ((session: never) => boolean | Promise<boolean>) | undefined;
  readonly admitsActors: boolean;
  readonly assurance: Assurance | undefined;
}

const NOTHING: Requirement = { csrf: undefined, where: undefined, admitsActors: true, assurance: undefined };

/** Checks conditions. @throws TypeError for one that does not exist, or cannot be right: it would silently not hold. */
export const requirementOf = <Payload extends object, Data extends object>(
  conditions?: Conditions<Payload, Data>,
): Requirement => {
  if (conditions === undefined) return NOTHING;
  checkOptions({ ...conditions }, conditionTable, { within: "requireSession: " });
  const { csrf, where, actor = true, maxAge, methods = [], level = [] } = conditions;
  const levels = [level].flat();
  const isAnybody = maxAge === undefined && methods.length === 0 && levels.length === 0;
  const assurance = { maxAge: maxAge === undefined ? undefined : seconds(durationOf(maxAge) ?? 0), methods, levels };
  return { csrf, where, admitsActors: actor, assurance: isAnybody ? undefined : assurance };
};

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Whether a user who authenticated so is known well enough. `auth_time` knows whole seconds, so its age is counted in them. */
export const isAssured = (
  { maxAge, methods, levels }: Assurance,
  auth: { readonly at: number; readonly methods: readonly string[]; readonly level?: string | undefined },
  now: number,
): boolean =>
  (maxAge === undefined || seconds(now) - seconds(auth.at) <= maxAge) &&
  methods.every((method) => auth.methods.includes(method)) &&
  (levels.length === 0 || levels.includes(auth.level ?? ""));
