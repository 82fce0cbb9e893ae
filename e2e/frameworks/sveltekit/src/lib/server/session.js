import { forSvelteKit } from "@pawl/node/sveltekit";
import { pawl } from "./pawl.js";

export const { routes, errors, createSession, getSession, requireSession, signOut } = forSvelteKit(pawl);
