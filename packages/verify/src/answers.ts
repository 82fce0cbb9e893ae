import { DEADLINE, LONGEST } from "./limits.js";

/** Goes on where something holds. @throws Error where it does not. */
export function demand(holds: unknown, message?: string): asserts holds {
  if (!holds) throw new Error(message);
}

/** How an API key is sent. */
export const authorized = (key: string): { readonly authorization: string } => ({ authorization: `Bearer ${key}` });

/**
 * Hands on the body of an answer as texts, as they come, until its end, or its signal.
 * @throws Error where its status is not 200.
 */
export const readTexts = async ({ status, body, url }: Response, hear: (text: string) => void): Promise<void> => {
  demand(status === 200 && body, `${url} answers ${status}`);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part; !(part = await reader.read()).done;) hear(part.value);
};

/**
 * Asks for a text, with a deadline and a bound. Redirects are not followed: they could lead a key elsewhere.
 * @throws Error for anything but a short answer with status 200 in time.
 */
export const readText = async (url: string, init?: RequestInit): Promise<string> => {
  let text = "";
  await readTexts(await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(DEADLINE) }), (part) =>
    demand((text += part).length < LONGEST, "too long"),
  );
  return text;
};
