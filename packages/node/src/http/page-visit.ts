import type { Exchange } from "./exchange.js";

/** Whether a browser loads a page into a tab of its own, as far as it says (Fetch Metadata). */
export const isPageVisit = (exchange: Exchange): boolean =>
  exchange.method === "GET" &&
  (exchange.header("sec-fetch-mode") ?? "navigate") === "navigate" &&
  (exchange.header("sec-fetch-dest") ?? "document") === "document";
