import { session, user } from "./svelte-session.js";

const heading = document.body.appendChild(document.createElement("h1"));
user.subscribe((value) => {
  heading.textContent =
    value === undefined ? "…" : value === null ? "Welcome" : `Hello ${value.userId}, ${value.payload.role}`;
});
Object.assign(globalThis, { session });
