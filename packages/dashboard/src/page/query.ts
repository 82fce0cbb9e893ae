import type { RouteResponse } from "@pawl/protocol";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Asked, call, type Name } from "./api.js";

/** From one answer to the next question, ms; sooner while there is none. */
const EVERY = 15_000;
const AGAIN = 3000;

/** Told that the session of the dashboard is over. */
export const CLOSED = "pawl-closed";

/** An answer that is asked for again from time to time, and the failure since then, if there was one. */
export interface Query<Answer> {
  readonly answer: Answer | undefined;
  /** When it came, ms. */
  readonly at: number | undefined;
  readonly failure: ApiError | undefined;
  readonly reload: () => void;
}

interface State<Answer> extends Omit<Query<Answer>, "reload"> {
  readonly key: string;
}

/** Asks now, and every 15 s while the page can be seen. Without `asked` nothing is asked. */
export const useQuery = <N extends Name>(name: N, asked: Asked<N> | undefined): Query<RouteResponse<N>> => {
  const key = JSON.stringify([name, asked]);
  const nothing = { key, answer: undefined, at: undefined, failure: undefined };
  const [state, setState] = useState<State<RouteResponse<N>>>(nothing);
  const ask = useRef<() => void>(() => undefined);

  useEffect(() => {
    let timer: number | undefined;
    let isCurrent = true;
    let round = 0;
    const askNow = async (): Promise<void> => {
      clearTimeout(timer);
      if (asked === undefined || document.visibilityState === "hidden") return;
      const mine = (round += 1);
      let wait = EVERY;
      try {
        const answer = await call(name, asked);
        if (isCurrent && mine === round) setState({ key, answer, at: Date.now(), failure: undefined });
      } catch (error) {
        if (!isCurrent || mine !== round) return;
        const failure = error instanceof ApiError ? error : new ApiError("unknown", String(error));
        if (failure.code === "unauthorised") dispatchEvent(new Event(CLOSED));
        setState((before) => ({ ...(before.key === key ? before : nothing), failure }));
        wait = AGAIN;
      }
      if (isCurrent && mine === round) timer = setTimeout(() => void askNow(), wait);
    };
    const seen = (): void => void askNow();
    ask.current = seen;
    document.addEventListener("visibilitychange", seen);
    seen();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key]);

  const reload = useCallback(() => ask.current(), []);
  // What belongs to another question is not shown under this one.
  return { ...(state.key === key ? state : nothing), reload };
};

/** Keyset pages: a stack of where they began. */
export interface Pages {
  readonly after: string | undefined;
  readonly number: number;
  readonly next: (after: string) => void;
  readonly previous: () => void;
}

/** Begins anew where the list is another one, which `of` names. */
export const usePages = (of: string): Pages => {
  const [{ list, stack }, setState] = useState<{ readonly list: string; readonly stack: readonly string[] }>({
    list: of,
    stack: [],
  });
  const current = list === of ? stack : [];
  return {
    after: current.at(-1),
    number: current.length + 1,
    next: (after) => setState({ list: of, stack: [...current, after] }),
    previous: () => setState({ list: of, stack: current.slice(0, -1) }),
  };
};
