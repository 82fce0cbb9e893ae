import type { SentRequest, ServedAnswer } from "./application.js";
import { isForEverybody } from "./http-cache.js";
import { holdsRefreshToken, isRefreshToken, readAccessToken } from "./session-tokens.js";
import type { Story } from "./story.js";
import type { Work } from "./watched-storage.js";

interface Pair {
  readonly name: string;
  readonly value: string;
}

const pairOf = (text: string): Pair => {
  const [, name = "", value = ""] = /^\s*([^=]*)=([^;]*)/.exec(text) ?? [];
  return { name, value };
};

export const cookiesSetBy = ({ headers }: ServedAnswer): readonly Pair[] => headers.getSetCookie().map(pairOf);

const isAccessToken = (value: string): boolean => readAccessToken(value) !== undefined;

export const isSessionToken = (value: string): boolean => isRefreshToken(value) || isAccessToken(value);

const kinds = [
  ["access", isAccessToken],
  ["refresh", isRefreshToken],
] as const;

/** What an answer itself tells of mistakes, as it leaves the application. */
export const inspectAnswer = (
  { method, url, headers }: SentRequest,
  answer: ServedAnswer,
  { story, work, isDown }: { readonly story: Story; readonly work: Work; readonly isDown: boolean },
): void => {
  const what = `${method} ${url.pathname}`;
  const set = cookiesSetBy(answer);
  const sent = (headers["cookie"] ?? "").split(";").map(pairOf);
  const replaced = sent.filter(({ name, value }) => isSessionToken(value) && set.some((it) => it.name === name));

  // Tokens may also be handed out in a body or a header.
  const others = [...answer.headers].filter(([name]) => name !== "set-cookie").flat();
  const isHandedOut = [...others, answer.body.toString()].some(holdsRefreshToken);
  const missing = kinds.filter(([, is]) => ![...set, ...replaced].some(({ value }) => is(value)));
  // Where the storage is not seen: a refresh token never comes alone, nor does an access token for who had no session.
  const hadSession = sent.some(({ value }) => isSessionToken(value));
  const isRenewed =
    work.renewed.size > 0 || set.some(({ value }) => isRefreshToken(value) || (!hadSession && isAccessToken(value)));
  if (isRenewed && answer.status < 500 && !isHandedOut && missing.length > 0) {
    const names = missing.map(([kind]) => kind).join(" and the ");
    story.blame(
      "lost-cookie",
      `${what} created or refreshed a session, and its answer came without the ${names} cookie: something on the way took ` +
        `a Set-Cookie away (the answer has ${set.length})`,
    );
  }

  if (set.some(({ value }) => isSessionToken(value)) && isForEverybody(answer))
    story.blame(
      "cacheable",
      `${what} sets the cookies of a session, and lets caches keep them: Cache-Control is ` +
        `"${answer.headers.get("cache-control")}"`,
    );

  const cleared = set.filter(({ name, value }) => value === "" && replaced.some((it) => it.name === name));
  if (isDown && cleared.length > 0)
    story.blame(
      "outage",
      `${what} was answered ${answer.status} while the storage was down, and cleared ${cleared.map(({ name }) => name).join(", ")}: ` +
        "nothing was known of the session, so its cookies have to stay",
    );
};
