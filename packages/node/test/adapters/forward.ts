import { type IncomingMessage, request, type ServerResponse } from "node:http";

/** Hands a request on to a server of this machine, and its answer back. */
export const forwardTo = (port: number, req: IncomingMessage, res: ServerResponse): void => {
  const headers = { ...req.headers, host: `127.0.0.1:${port}` };
  const onward = request({ host: "127.0.0.1", port, path: req.url, method: req.method, headers, agent: false });
  onward.on("response", (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)));
  onward.on("error", () => res.destroy());
  res.on("close", () => onward.destroy());
  req.pipe(onward);
};
