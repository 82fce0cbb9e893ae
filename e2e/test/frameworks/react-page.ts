import { createElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { Greeting } from "./react-greeting.js";
import { session } from "./use-session.js";

const errors: string[] = [];
hydrateRoot(document.querySelector("main")!, createElement(Greeting), {
  onRecoverableError: (error) => errors.push(String(error)),
});
Object.assign(globalThis, { session, errors });
