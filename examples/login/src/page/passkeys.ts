import { browserSupportsWebAuthn, startAuthentication, startRegistration } from "./simplewebauthn/index.js";

const post = async (path: string, body: object) => {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
};

/** Asks the server what to sign, the browser to sign it, and goes where the server says. */
const usePasskey = async ({ passkey: path = "", back }: DOMStringMap): Promise<void> => {
  const optionsJSON = await post(`${path}/options`, {});
  const start = path === "/passkeys/new" ? startRegistration : startAuthentication;
  const { location } = await post(path, { ...(await start({ optionsJSON })), back });
  window.location.assign(location);
};

const problems: Readonly<Record<string, string>> = {
  NotAllowedError: "No passkey was used.",
  InvalidStateError: "This device has a passkey of yours.",
};

if (browserSupportsWebAuthn())
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const problem = document.getElementById("problem")!;
      problem.textContent = "";
      usePasskey(button.dataset).catch((error: Error) => (problem.textContent = problems[error.name] ?? error.message));
    });
  }
