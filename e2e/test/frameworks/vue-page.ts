import { createApp, h } from "vue";
import { current, session } from "./vue-session.js";

const greeting = (): string => {
  const { status, userId, payload, reason } = current.value;
  return status === "unknown"
    ? "…"
    : status === "ended"
      ? `Welcome, ${reason ?? "stranger"}`
      : `Hello ${userId}, ${payload.role}`;
};
createApp(() => h("h1", greeting())).mount("main");
Object.assign(globalThis, { session, errors: [] });
