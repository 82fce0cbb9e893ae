import type { IncomingMessage, RequestListener } from "node:http";

export { served } from "../../../packages/node/test/adapters/served.js";

const isHost = ({ headers: { host = "" } }: IncomingMessage): boolean => !/[@[]/.test(host);

/** Refuses hosts that are none, of which some frameworks make 500. */
export const refusingOddHosts =
  (answer: RequestListener): RequestListener =>
  (req, res) => {
    if (isHost(req)) answer(req, res);
    else res.writeHead(400).end();
  };
