import { forFetch } from "@pawl/node/fetch";
import { pawl } from "./pawl.js";

export const { handle, createSession, getSession, requireSession, signOut } = forFetch(pawl);
