import { forNext } from "@pawl/node/next";
import { pawl } from "./pawl.js";

export const { proxy, handlers, action, createSession, getSession, requireSession, signOut } = forNext(pawl, {
  login: "/pages/sign-in",
});
