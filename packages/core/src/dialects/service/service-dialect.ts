import { type Storage, StorageError } from "@pawl/storage";
import type { CoreReply, Dialect, Operation } from "../../server/dialect.js";
import { textRefusal, textReply } from "../cdi-reply.js";
import { createPathTable } from "../path-table.js";
import { withoutHead } from "../../server/request-target.js";

interface ServiceDialectOptions {
  readonly storage: Pick<Storage, "ping">;
  /** Milliseconds that the storage may take. */
  readonly readyTimeout: number;
}

/**
 * What operators and balancers ask: `/healthz` (the process is alive), `/readyz` (the storage answers), and `/hello`
 * and `/` as the original core answers them.
 */
export const createServiceDialect = ({ storage, readyTimeout }: ServiceDialectOptions): Dialect => {
  const ready = async (): Promise<CoreReply> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, readyTimeout, "late");
    });
    try {
      const outcome = await Promise.race([storage.ping(), late]);
      if (outcome === "late") throw new StorageError("unavailable", "the storage did not answer in time");
      return textReply("Ready");
    } finally {
      clearTimeout(timer);
    }
  };
  const open = (name: string, handle: Operation["handle"]): Operation => ({ name, access: "open", handle });
  const hello = open("hello", () => textReply("Hello"));
  const health = open("healthz", () => textReply("Alive"));
  const readiness = open("readyz", ready);
  const table = createPathTable([
    ["GET", "/healthz", health],
    ["GET", "/readyz", readiness],
    ["GET", "/", hello],
    ["GET", "/hello", hello],
    ["POST", "/hello", hello],
    ["PUT", "/hello", hello],
    ["DELETE", "/hello", hello],
  ]);
  return { find: (method, path) => table.find(withoutHead(method), path), owns: () => false, refuse: textRefusal };
};
