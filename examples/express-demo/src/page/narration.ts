import { refreshPath, type Role, type ThiefAnswer } from "./answers.js";
import type { Forecast } from "./forecast.js";
import type { WebEndReason } from "./pawl-web/index.js";
import type { LoggedRequest } from "./session-client.js";

/** What the page says about what just happened. */
export interface Narration {
  readonly title: string;
  readonly text: string;
  readonly tone: "calm" | "good" | "warn" | "bad";
}

/** A stretch of time for a person: seconds with at most one decimal. */
const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 100) / 10} s`;

export const welcome: Narration = {
  title: "A session that turns one way only",
  text: "A short-lived access token opens the API, and a refresh token fetches the next one. Each refresh turns the lineage one notch. Log in and watch it.",
  tone: "calm",
};

export const seenAgain: Narration = {
  title: "Your session is still here",
  text: "The page was loaded anew; the cookies were kept. The drawing begins with the token they hold now.",
  tone: "calm",
};

export const loggedIn = (lifetime: number): Narration => ({
  title: "You are logged in",
  text: `Your browser received an access token that is good for ${lifetime} s, and refresh token 0. Both are HttpOnly cookies. When the ring runs empty, the next call refreshes by itself.`,
  tone: "good",
});

export const refused = (message: string): Narration => ({ title: "Not logged in", text: message, tone: "warn" });

/** After one protected call that was answered. */
export const called = (how: {
  readonly refreshed: boolean;
  readonly confirmed: boolean;
  readonly seq: number;
}): Narration => {
  if (how.refreshed)
    return {
      title: `The session turned to token ${how.seq}`,
      text: `The access token had run out, so the session was refreshed; you would have noticed nothing. The token before stays good until token ${how.seq} has been used, in case this answer had been lost.`,
      tone: "good",
    };
  if (how.confirmed)
    return {
      title: `Token ${how.seq} has certainly arrived`,
      text: "This call, made more than the reuse window after the token was issued, is the proof. The tokens before it are dead from now on: whoever shows one of them must have copied it.",
      tone: "good",
    };
  return {
    title: "Answered at once",
    text: "The server checked the signature of the access token by itself. No database was asked, and no core.",
    tone: "good",
  };
};

export const calledFive = (refreshes: number, seq: number): Narration =>
  refreshes === 0
    ? {
        title: "Five calls, no refresh",
        text: "The access token was still good for all five. Try again when the ring is empty.",
        tone: "good",
      }
    : {
        title: `Five calls, ${refreshes === 1 ? "one refresh" : `${refreshes} refreshes`}`,
        text: `All five found the access token expired. One refresh to token ${seq} served them all. Even two refreshes at the same moment would do no harm: within the reuse window both get the same successor.`,
        tone: "good",
      };

export const expired: Narration = {
  title: "The access token is gone",
  text: "The demo server removed its cookie, as if its time were over. The next call will be refreshed by the server as it answers.",
  tone: "calm",
};

export const losing: Narration = {
  title: "The next refresh answer will be lost",
  text: "The server will turn the session, but its answer will never arrive: the connection is cut. Make a call once the access token has expired, and see whether you are still logged in.",
  tone: "warn",
};

export const lostAnswer: Narration = {
  title: "The answer was lost",
  text: "The server has turned the session, your browser still holds the token before. In many systems the repeat would now look like theft. The page asks again …",
  tone: "warn",
};

export const survived = (seq: number): Narration => ({
  title: "Lost, asked again, still logged in",
  text: `The server had turned the session, but its answer never arrived. Nobody had used the lost token, so the one before it was still good, and asking again brought token ${seq}.`,
  tone: "good",
});

export const stolen = (seq: number): Narration => ({
  title: `The thief holds a copy of token ${seq}`,
  text: "A copied cookie is as good as the original, so nothing can be noticed yet. It shows as soon as both use it: one of them will come with a token that its owner must have replaced.",
  tone: "warn",
});

/** The session is bound to the browser's device. */
export const bound: Narration = {
  title: "You are logged in, and bound to this device",
  text: "Your browser has made a key that never leaves it, and the server knows its public half. From now on each refresh has to be signed by it: your browser does that by itself, before the next request.",
  tone: "good",
};

export const expiredBound: Narration = {
  title: "The access token is gone",
  text: "The demo server removed its cookie, as if its time were over. Before its next request your browser refreshes by itself, with a signature of its key. All else that it asks waits for that.",
  tone: "calm",
};

export const stolenJar: Narration = {
  title: "The thief holds a copy of your whole cookie jar",
  text: "The access token in it opens the API until it runs out, or until you log out. For more the thief has to refresh, and the key for that is not in any cookie.",
  tone: "warn",
};

/** After the thief's replay, by what had been foretold. */
export const replayed = (answer: ThiefAnswer, foretold: Forecast): Narration => {
  if (foretold === "bound" && answer.status !== 200)
    return {
      title: "The thief got nothing, and you noticed nothing",
      text: "The refresh token was genuine, but no key signed. That is refused, and an event tells the operator. The session does not end: a thief who could end it could log you out. Make a call: you go on.",
      tone: "good",
    };
  if (answer.code === "TOKEN_THEFT")
    return {
      title: "The thief was caught",
      text: "No honest browser could have shown this token any more, so somebody had copied it. The session was ended in the same moment, for both: the server cannot tell who is who.",
      tone: "bad",
    };
  if (answer.status !== 200)
    return { title: "The thief got nothing", text: "The session is over; its tokens open nothing.", tone: "good" };
  const why: Partial<Record<Forecast, string>> = {
    twin: "It was the newest token, so the thief passed for you. When your browser comes with the same token later, one of you will be noticed.",
    second_tab:
      "It came so soon after your own refresh that it looked like a second tab, or like an answer that was lost. Both of you now hold the same token.",
    unconfirmed:
      "Your page had refreshed, but had not used its new token yet: the answer might have been lost. So the token before it was still good.",
  };
  return {
    title: `The thief received token ${answer.holds?.seq ?? ""}`,
    text: `${why[foretold] ?? ""} Make a call, let your page refresh, and replay again: it will not go well for long.`,
    tone: "warn",
  };
};

export const thiefCalled = (answer: ThiefAnswer, proof: { readonly confirmed: boolean }): Narration =>
  answer.status === 200
    ? {
        title: "The thief called the API as you",
        text: proof.confirmed
          ? "By using its access token the thief proved that the newest token arrived, somewhere. Your browser still holds an older one: its next refresh will raise the alarm."
          : "It came with an access token that is good, and so it was answered. Stolen tokens work until somebody notices.",
        tone: "warn",
      }
    : { title: "The thief was turned away", text: answer.message, tone: "good" };

export const loggedOut = (where: "here" | "everywhere", ended: number): Narration => ({
  title: where === "here" ? "You are logged out here" : "You are logged out everywhere",
  text:
    where === "here"
      ? "The session has ended on the server, and its cookies are cleared. Your sessions in other browsers go on."
      : `${ended === 1 ? "Your one session has" : `All ${ended} of your sessions have`} ended on the server. Another browser learns of it with its next request, even though its access token has not expired.`,
  tone: "good",
});

/** The browser was told that its session has ended. */
export const foundOut = (reason: WebEndReason): Narration =>
  reason === "token_reuse"
    ? {
        title: "The alarm rang",
        text: "Two holders used one token. The server cannot tell which of them is you, so it ended the session for both and kept the reason. Log in again: the thief cannot.",
        tone: "bad",
      }
    : {
        title: "This session has ended",
        text: "The server refused the session, told why, and cleared its cookies. Every tab of this browser shows it.",
        tone: "warn",
      };

/** The end of a session in a word, for the drawing. */
export const endOf = (reason: WebEndReason): string =>
  ({ token_reuse: "theft", logout: "logged out" })[reason as string] ?? "session ended";

/** What a page says of an end, by the reason that the server gave. */
export const endingOf = (
  reason: WebEndReason,
  idleMinutes: number,
): { readonly title: string; readonly text: string } => {
  const again = "Log in again to go on.";
  const texts: Partial<Record<WebEndReason, { readonly title: string; readonly text: string }>> = {
    token_reuse: {
      title: "Somebody else used your session",
      text: "A copy of your refresh token was used. Both of you are out; nothing more can be done with it.",
    },
    idle: { title: `You were logged out after ${idleMinutes} minutes without activity`, text: again },
    expired: { title: "Your session has run out", text: again },
    logout: { title: "You logged out elsewhere", text: `In another tab, or everywhere from another browser. ${again}` },
    revoked: { title: "The application ended your session", text: again },
    identity_provider: { title: "You logged out where you had logged in", text: again },
    session_limit: { title: "You logged in on another device", text: again },
  };
  return texts[reason] ?? { title: "Your session was ended", text: again };
};

export const unknown: Narration = {
  title: "Nobody knows, so nothing changes",
  text: "The server could not be reached or could not decide. That says nothing about your session: the cookies are kept, and the next try may succeed.",
  tone: "warn",
};

/** What awaits a thief of a bound session. */
export const foretoldOfBound = "A thief who copies your whole cookie jar lacks the key. See what it is worth.";

/** What a replay would meet now, and what to do about it. `wait`: milliseconds until a call counts as proof. */
export const foretell = (forecast: Forecast, times: { readonly window: number; readonly wait: number }): string => {
  const texts: Readonly<Record<Forecast, string>> = {
    bound: "If replayed now: refused. Only your browser can sign a refresh, and the session goes on.",
    nothing: "A thief who copies your refresh token can go on as you. See how that ends.",
    twin: "If replayed now: answered. It is the newest token, nothing tells the thief from you. Let your page refresh first.",
    second_tab: `If replayed now: answered with the same successor. For ${seconds(times.window)} a repeat looks like a second tab.`,
    unconfirmed:
      "If replayed now: answered. " +
      (times.wait > 0
        ? `In ${seconds(times.wait)} a call of your page will prove that its new token arrived.`
        : "Make a protected call: it proves that your new token arrived."),
    caught: "If replayed now: caught. Your page has used the successor, so only a thief would still show this token.",
  };
  return texts[forecast];
};

export const published: Narration = {
  title: "Published",
  text: "Your access token says that you are an editor, and nothing newer is known here. No database was asked.",
  tone: "good",
};

/** `left`: ms that the access token would have been good for, where it was refused because it was old. */
export const notPublished = (left: number | undefined): Narration => ({
  title: "Your role is gone, your session is not",
  text:
    left === undefined
      ? "A reader may not publish. You are still logged in: everything else works as before."
      : `Your access token was good for another ${seconds(left)} and said that you are an editor. It was refused all the same, for this server had heard of the change. The refresh brought one with your new role, and a reader may not publish.`,
  tone: "warn",
});

export const roleChanged = (role: Role): Narration =>
  role === "reader"
    ? {
        title: "The administrator has taken your role away",
        text: "In your browser nothing has changed yet: its access token still says that you are an editor. Try to publish with it.",
        tone: "warn",
      }
    : {
        title: "You are an editor again",
        text: "Your access token does not know yet. It will be refused at your next call, refreshed, and you will notice nothing.",
        tone: "good",
      };

export const askedToConfirm: Narration = {
  title: "The vault asks whether it is still you",
  text: "The answer was 401 with the challenge of RFC 9470. @pawl/web did not refresh, for that would not help: it asked this page. The call waits.",
  tone: "calm",
};

export const vaultOpened = (asked: boolean): Narration =>
  asked
    ? {
        title: "It is you: the vault is open",
        text: "It is the same session, but its access token says when and how you proved it, and older ones are refused: a copy of them does not open the vault. The call that had waited was sent once more.",
        tone: "good",
      }
    : {
        title: "The vault is open",
        text: "You have proved within the last 30 s who you are. A refresh would not have made that any younger.",
        tone: "good",
      };

export const vaultClosed: Narration = {
  title: "The vault stays closed",
  text: "You are still logged in, and everything else works as before.",
  tone: "calm",
};

const caught = "Theft: this token had been replaced, and its successor used. Session ended";

/** A replay of the thief's, in words for the log. */
export const wordsOfReplay = (
  answer: ThiefAnswer,
  { shown, isBound }: { readonly shown: number; readonly isBound: boolean },
): string => {
  if (answer.code === "TOKEN_THEFT") return caught;
  if (answer.status !== 200) return isBound ? "Refused: no key has signed this refresh" : "The session has ended";
  return `Refresh token ${shown} handed in, token ${answer.holds?.seq ?? ""} received`;
};

/** Whether an answer said that the session is over. */
export const isEnd = ({ status, code }: LoggedRequest): boolean => status === 401 && code !== "STEP_UP";

/** A request of this browser's, in words for the log; `seq` is the refresh token it holds. */
export const wordsOf = (answered: LoggedRequest, seq: number | undefined): string => {
  const { path, status, code, body, turned } = answered;
  if (status === "lost") return "No answer arrived";
  if (code === "TOKEN_THEFT") return caught;
  if (code === "STEP_UP") return "Wants a proof of who you are that is not older than 30 s";
  if (code === "FORBIDDEN") return `Refused: you are no editor${turned ? `. A token with your role came along` : ""}`;
  if (isEnd(answered)) return `The session has ended${body.reason === undefined ? "" : `: ${body.reason}`}`;
  if (status === 503) return "Cannot be decided now; cookies kept";
  if (path === refreshPath) return `Refresh token handed in, token ${seq ?? ""} received`;
  if (path === "/login") return "Session created, cookies set";
  if (path === "/confirm") return "Stepped up: an access token that says when and how";
  if (path === "/logout") return "Session ended, cookies cleared";
  if (path === "/logout/everywhere") return `${body.ended ?? 0} session(s) ended, cookies cleared`;
  return `${body.message ?? "Answered"}${turned ? `. Token ${seq ?? ""} came along` : ""}`;
};
