import type { AccessTokenView } from "./answers.js";
import { html } from "./element.js";

const meanings: Readonly<Record<string, string>> = {
  alg: "signature algorithm",
  typ: "kind of token",
  kid: "which key signed it",
  version: "form of the token",
  sub: "who is logged in",
  iat: "issued at",
  exp: "good until",
  sid: "name of the session",
  pver: "how often its payload has changed",
  auth_time: "when you last proved who you are",
  amr: "how you proved it",
  dbsc: "bound to the device of your browser",
  refreshTokenHash1: "refresh token it was issued with",
  parentRefreshTokenHash1: "that one’s parent",
  antiCsrfToken: "guards against forged requests",
  tId: "tenant",
};

/** Shows header and claims of an access token, each with what it is for. */
export const drawToken = (place: HTMLElement, token: AccessTokenView | undefined): void => {
  if (token === undefined) {
    place.replaceChildren(html("p", "empty", "No access token in the cookies."));
    return;
  }
  place.replaceChildren(part("Header", token.header), part("Claims", token.claims));
};

const part = (title: string, values: Readonly<Record<string, unknown>>): HTMLElement =>
  html(
    "div",
    "claims",
    html("h3", "", title),
    html(
      "dl",
      "",
      ...Object.entries(values).map(([name, value]) =>
        html(
          "div",
          "",
          html("dt", "", name),
          html("dd", "", show(name, value)),
          html("dd", "meaning", meaningOf(name)),
        ),
      ),
    ),
  );

const meaningOf = (name: string): string => meanings[name] ?? "from the application";

const show = (name: string, value: unknown): string => {
  if (["iat", "exp", "auth_time"].includes(name) && typeof value === "number")
    return `${value} (${new Date(value * 1000).toLocaleTimeString([], { hour12: false })})`;
  return typeof value === "string" ? value : JSON.stringify(value);
};
