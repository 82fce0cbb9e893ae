import { createServer } from "node:http";
import { requestText } from "../load-plan.mjs";
import { listen } from "./listen.mjs";

/**
 * The least an HTTP answer costs in Node: `node:http` reads a body and answers with one of the size Pawl answers with.
 * @param {{ path: string, body: string, answerBytes: number }} settings
 */
export const echo = async ({ path, body, answerBytes }) => {
  const answer = JSON.stringify({ filler: "x".repeat(Math.max(0, answerBytes - 13)) });
  const server = createServer((request, response) => {
    request.on("data", () => undefined);
    request.on("end", () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
      response.end(answer);
    });
  });
  return {
    ...(await listen(server)),
    plan: { kind: "fixed", requests: [requestText({ method: "POST", path, body })] },
  };
};
