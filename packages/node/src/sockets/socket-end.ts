import type { EndReason } from "@pawl/storage";

/** Why a socket is closed. */
export type SocketEnd =
  /** Its session has ended; `ended` where nobody knows why any more. */
  | { readonly code: 4401; readonly reason: EndReason | "ended" }
  /** Its session has changed, and nothing says that the socket may stay; `cause` is what `onChange` threw. */
  | { readonly code: 4403; readonly reason: "changed"; readonly cause?: unknown }
  /** Nothing has been known of its session for too long. */
  | { readonly code: 4503; readonly reason: "unknown" }
  /** The instance that watched over it was closed. */
  | { readonly code: 1001; readonly reason: "closing" };

/** What a client is told of it. */
export const toldEnd = ({ code, reason }: SocketEnd): { readonly code: number; readonly reason: string } => ({
  code,
  reason,
});
