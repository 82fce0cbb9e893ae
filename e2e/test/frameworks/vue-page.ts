import { createApp, h } from "vue";
import { session, user } from "./vue-session.js";

const greeting = (): string => {
  const { value } = user;
  return value === undefined ? "…" : value === null ? "Welcome" : `Hello ${value.userId}, ${value.payload.role}`;
};
createApp(() => h("h1", greeting())).mount(document.body.appendChild(document.createElement("main")));
Object.assign(globalThis, { session });
