import type { NodeRequest, NodeResponse as AnyResponse } from "@pawl/node/http";

/** What is needed of a response: that of `node:http` or Express. */
export interface NodeResponse extends AnyResponse {
  /** As Express keeps it; a login learns from it what its page can do. */
  readonly req?: NodeRequest | undefined;
}
