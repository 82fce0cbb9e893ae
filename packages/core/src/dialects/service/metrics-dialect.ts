import type { Access, Dialect } from "../../server/dialect.js";
import { withoutHead } from "../../server/request-target.js";
import type { Prometheus } from "../../telemetry/prometheus.js";
import { textRefusal } from "../cdi-reply.js";
import { createPathTable } from "../path-table.js";

/** `GET /metrics` in Prometheus' text format. No label holds what a user or a caller has sent. */
export const createMetricsDialect = (
  { text, contentType }: Pick<Prometheus, "text" | "contentType">,
  access: Access,
): Dialect => {
  const handle = async () => ({ status: 200, contentType, body: await text() });
  const table = createPathTable([["GET", "/metrics", { name: "metrics", access, handle }]]);
  return { find: (method, path) => table.find(withoutHead(method), path), owns: () => false, refuse: textRefusal };
};
