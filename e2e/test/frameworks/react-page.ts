import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { session, useUser } from "./use-session.js";

const Greeting = () => {
  const user = useUser();
  const text = user === undefined ? "…" : user === null ? "Welcome" : `Hello ${user.userId}, ${user.payload.role}`;
  return createElement("h1", {}, text);
};
createRoot(document.body.appendChild(document.createElement("main"))).render(createElement(Greeting));
Object.assign(globalThis, { session });
