import { createServer } from "node:http";
import { listen } from "./listen.mjs";

/**
 * The least an HTTP answer costs in Node: `node:http` reads a body and answers with one of the size Pawl answers with.
 * @param {{ request: string, answerBytes: number }} settings
 */
export const echo = async ({ request, answerBytes }) => {
  const answer = JSON.stringify({ filler: "x".repeat(Math.max(0, answerBytes - 13)) });
  const server = createServer((message, response) => {
    message.on("data", () => undefined);
    message.on("end", () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
      response.end(answer);
    });
  });
  return { ...(await listen(server)), plan: { kind: "fixed", requests: [request] } };
};
