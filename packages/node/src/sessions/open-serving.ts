import { createTheftReports, type SessionHandle } from "@pawl/engine";
import type { Clock } from "@pawl/storage";
import { createWarnings } from "../application-hook.js";
import type { SessionBackend } from "../backend/session-backend.js";
import { openSharedBackend } from "../backend/shared-backend.js";
import { UseReports } from "../backend/use-reports.js";
import { createCookies } from "../http/cookies.js";
import { createKeptBackWarning } from "../http/kept-back-cookies.js";
import { coreDurations, policyOf } from "../options/backend-options.js";
import { type BackendOptions, checkAdopting, isForCore } from "../options/options.js";
import { devicePathOf } from "./bound-sessions.js";
import { RequestStates, type RunningRefresh, type Serving } from "./serving.js";
import { createActions } from "./session-actions.js";

/** @throws as `openSharedBackend`; TypeError for a core under whose rules there is no adoption. */
const openBackend = async (options: BackendOptions): Promise<SessionBackend> => {
  const clock = options.clock as Clock | undefined;
  const backend = await openSharedBackend(
    isForCore(options)
      ? { ...options, ...coreDurations(options), clock }
      : { ...options, policy: policyOf(options), clock },
  );
  try {
    checkAdopting(options, backend.settings);
  } catch (error) {
    await backend.close();
    throw error;
  }
  return backend;
};

/** Opens what serves requests. @throws as `openBackend`. */
export const openServing = async (
  options: BackendOptions,
  given: Pick<Serving, "payloads" | "data" | "monotonic">,
): Promise<Serving> => {
  const backend = await openBackend(options);
  const cookies = createCookies(options);
  const uses = new UseReports({ send: (notes) => backend.reportUses(notes), settings: () => backend.settings });
  // Another sixth is for the network: together they are the third of the window that an exchange may last.
  const isLate = (since: number, now: number): boolean => {
    const { reuseWindow } = backend.settings;
    return reuseWindow > 0 && now - since > reuseWindow / 6;
  };
  const hasEnded = (handle: SessionHandle): boolean => backend.knowsEnded(handle);
  const warnOnce = createWarnings();
  const opened = {
    ...given,
    backend,
    cookies,
    uses,
    requests: new RequestStates({
      cookies,
      devicePath: devicePathOf(options),
      now: given.monotonic,
      isLate,
      hasEnded,
      warnOnce,
    }),
    options,
    theftReports: createTheftReports(),
    warnOfKeptBackCookies: createKeptBackWarning(options),
    warnOnce,
    refreshes: new Map<string, RunningRefresh>(),
  };
  return { ...opened, actions: createActions(opened) };
};
