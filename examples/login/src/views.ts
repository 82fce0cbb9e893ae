import type { ListedSession } from "@pawl/node";
import { describeDevice } from "./device.js";
import { html, type Html } from "./html.js";
import { PASSWORD_LENGTH } from "./passwords.js";
import type { Passkey } from "./passkeys.js";
import type { User } from "./users.js";

/** A whole page. `role="alert"` has screen readers say what went wrong. */
export const page = (
  title: string,
  body: Html,
  { banner, problem }: { readonly banner?: Html | undefined; readonly problem?: string | undefined } = {},
): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="data:," />
        <script type="module" src="/page/passkeys.js"></script>
      </head>
      <body>
        ${banner}
        <main>
          <h1>${title}</h1>
          <p id="problem" class="problem" role="alert">${problem}</p>
          ${body}
        </main>
      </body>
    </html>`.markup;

const post = (action: string, text: string, fields: Html = html``, look = ""): Html =>
  html`<form method="post" action="${action}">${fields}<button class="${look}">${text}</button></form>`;

const hidden = (name: string, value: string): Html => html`<input type="hidden" name="${name}" value="${value}" />`;

/** Tells password managers whose password it is. */
const ownerField = (name: string): Html =>
  html`<input hidden name="name" value="${name}" autocomplete="username" readonly />`;

const nameField = (name = ""): Html => html`
  <label>
    Name
    <input name="name" value="${name}" required maxlength="40" autocomplete="username" autocapitalize="none" />
  </label>
`;

/** Shown by the page's script, where the browser knows passkeys. */
const passkeyButton = (path: string, text: string, back = ""): Html =>
  html`<button type="button" hidden data-passkey="${path}" data-back="${back}">${text}</button>`;

const currentPassword = html`
  <label>Password <input type="password" name="password" required autocomplete="current-password" /></label>
`;

const newPassword = html`
  <label>
    New password
    <input
      type="password"
      name="password"
      required
      minlength="${PASSWORD_LENGTH.least}"
      maxlength="${PASSWORD_LENGTH.most}"
      autocomplete="new-password"
      aria-describedby="advice"
    />
  </label>
  <p id="advice" class="hint">
    At least ${PASSWORD_LENGTH.least} characters: a few words do, and your browser can make one.
  </p>
`;

/** A page with one thing to do, and where else to go. */
const cardPage = (title: string, card: Html, [path, text]: readonly [string, string], problem?: string): string =>
  page(
    title,
    html`<section>${card}</section>
      <p><a href="${path}">${text}</a></p>`,
    { problem },
  );

const BACK = ["/account", "Not now"] as const;

export const loginPage = (problem?: string, name?: string): string => {
  const form = post("/login", "Log in", html`${nameField(name)}${currentPassword}`, "main");
  const passkey = passkeyButton("/passkeys/login", "Log in with a passkey");
  const openid = html`<a class="button" href="/openid/login">Log in with OpenID Connect</a>`;
  const card = html`${form}
    <p class="choices">${passkey} ${openid}</p>`;
  return cardPage("Log in", card, ["/register", "Make an account"], problem);
};

export const registerPage = (problem?: string, name?: string): string => {
  const form = post("/register", "Make it", html`${nameField(name)}${newPassword}`, "main");
  return cardPage("Make an account", form, ["/", "Log in instead"], problem);
};

export const passwordPage = (name: string, problem?: string): string => {
  const form = post("/account/password", "Change it", html`${ownerField(name)}${newPassword}`, "main");
  const card = html`${form}
    <p class="hint">Your other devices are logged out then.</p>`;
  return cardPage("Another password", card, BACK, problem);
};

export const newPasskeyPage = (): string => {
  const text = "Your device, or your password manager, keeps a key that works on this site alone. Nothing to remember.";
  const card = html`<p>${text}</p>
    <p class="choices">${passkeyButton("/passkeys/new", "Add a passkey")}</p>`;
  return cardPage("A passkey", card, BACK);
};

export const deletePage = (): string => {
  const text = html`<p>It is gone at once, on all your devices, and cannot be brought back.</p>`;
  const form = post("/account/delete", "Delete it", undefined, "danger");
  return cardPage("Delete your account", html`${text}${form}`, BACK);
};

/** How a user may prove once more who they are; nothing but a passkey will do where `onlyPasskey`. */
export interface Confirmation {
  /** The page that asks. */
  readonly back: string;
  readonly user: User;
  readonly hasPasskey: boolean;
  readonly onlyPasskey: boolean;
}

export const confirmPage = ({ back, user, hasPasskey, onlyPasskey }: Confirmation, problem?: string): string => {
  const fields = html`${hidden("back", back)}${ownerField(user.name)}${currentPassword}`;
  const card = html`
    <p>This matters, so prove once more who you are. It is good for five minutes.</p>
    ${!onlyPasskey && user.password !== null && post("/confirm", "Confirm", fields, "main")}
    <p class="choices">
      ${hasPasskey && passkeyButton("/passkeys/confirm", "Use a passkey", back)}
      ${!hasPasskey && onlyPasskey && html`It takes a passkey: <a href="/passkeys/new">add one</a>`}
      ${!onlyPasskey && user.issuer !== null && html`<a class="button" href="/openid/confirm?back=${back}">Confirm where you log in</a>`}
    </p>
  `;
  return cardPage("Is it still you?", card, BACK, problem);
};

/** The banner on every page while somebody acts for a user. */
export const actingBanner = (user: string, actor: string): Html => html`
  <aside class="acting" aria-label="Acting for a user">
    <p>${actor} acts for <strong>${user}</strong></p>
    ${post("/support/stop", "Stop")}
  </aside>
`;

/** A time in UTC, to the minute; browsers of the world would each have another one. */
const time = (at: number): Html => {
  const text = new Date(at).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace("T", " ")} UTC</time>`;
};

const methodNames: Readonly<Record<string, string>> = { pwd: "password", pop: "passkey" };

/** How they have last proved who they are in that session, in words. */
const methodsOf = (methods: readonly string[]): string => {
  const names = methods.flatMap((method) => methodNames[method] ?? []);
  return names.length === 0 ? "" : `by ${names.join(" and ")}, `;
};

const deviceItem = (session: ListedSession<object>): Html => {
  const { handle, device, address, auth, identityProvider, lastActiveAt, current } = session;
  return html`
    <li>
      <div>
        <strong>${describeDevice(device)}</strong> ${current && html`<span class="tag">this one</span>`}
        <p class="hint">
          ${address && `${address}, `}${methodsOf(auth.methods)}${identityProvider && `at ${identityProvider.issuer}, `}active
          ${time(lastActiveAt)}
        </p>
      </div>
      ${!current && post("/sessions/end", "Log out", hidden("handle", handle))}
    </li>
  `;
};

const passkeyItem = ({ id, isSynced, addedAt }: Passkey): Html => html`
  <li>
    <p>${isSynced ? "On all your devices" : "On one device"}, <span class="hint">added ${time(addedAt)}</span></p>
    ${post("/passkeys/remove", "Remove", hidden("id", id))}
  </li>
`;

export interface Visit {
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
}

const visitItem = ({ at, actor, reason }: Visit): Html => html`<li>${actor}, ${time(at)}: ${reason}</li>`;

const supportForm = html`
  <section aria-labelledby="support">
    <h2 id="support">Support</h2>
    ${post(
      "/support/act",
      "Act for this user",
      html`${nameField()}<label>Why <input name="reason" required maxlength="100" placeholder="Ticket 4711" /></label>`,
    )}
  </section>
`;

export interface Account {
  readonly user: User;
  /** Undefined while somebody acts for the user, to whom they are not shown. */
  readonly sessions?: readonly ListedSession<object>[] | undefined;
  readonly passkeys: readonly Passkey[];
  /** When support acted for the user. */
  readonly visits: readonly Visit[];
  readonly banner?: Html | undefined;
}

export const accountPage = ({ user, sessions, passkeys, visits, banner }: Account) =>
  page(
    `Hello ${user.name}`,
    html`
      ${
        sessions &&
        html`
          <section aria-labelledby="devices">
            <h2 id="devices">Where you are logged in</h2>
            <ul class="list">
              ${sessions.map(deviceItem)}
            </ul>
            ${sessions.length > 1 && post("/sessions/end-others", "Log out everywhere else")}
          </section>
          <section aria-labelledby="security">
            <h2 id="security">Security</h2>
            <ul class="list" aria-label="Passkeys">
              ${passkeys.map(passkeyItem)}
            </ul>
            <p class="links">
              <a href="/passkeys/new">Add a passkey</a>
              <a href="/vault">Open the vault</a>
              <a href="/account/password">Change the password</a>
              <a href="/account/delete">Delete the account</a>
            </p>
          </section>
          ${user.role === "support" && supportForm}
        `
      }
      ${
        visits.length > 0 &&
        html`
          <section aria-labelledby="visits">
            <h2 id="visits">Support has acted for you</h2>
            <ul>
              ${visits.map(visitItem)}
            </ul>
          </section>
        `
      }
      ${post("/logout", "Log out")}
    `,
    { banner },
  );

export const notePage = (title: string, text: string) =>
  page(
    title,
    html`<p>${text}</p>
      <p><a href="/account">Go on</a></p>`,
  );
