import { createElement, type ReactElement } from "react";
import { useSession } from "./use-session.js";

export const Greeting = (): ReactElement => {
  const { status, userId, payload, reason } = useSession();
  const text =
    status === "unknown"
      ? "…"
      : status === "ended"
        ? `Welcome, ${reason ?? "stranger"}`
        : `Hello ${userId}, ${payload.role}`;
  return createElement("h1", {}, text);
};
