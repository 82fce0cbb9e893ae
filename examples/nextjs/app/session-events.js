"use client";

import { init } from "@pawl/web";
import { useRouter } from "next/navigation";
import { useEffect } from "react";

/** From here on every `fetch` of the page carries its session; what is rendered follows logins and logouts, of any tab. */
export const SessionEvents = () => {
  const router = useRouter();
  useEffect(() => {
    const session = init();
    session.onEvent(({ type }) => (type === "created" || type === "ended") && router.refresh());
    window.session = session;
    return session.close;
  }, [router]);
  return null;
};
