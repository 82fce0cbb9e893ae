import { createServer } from "node:http";
import { createPawl, type PawlOptions, type Session, SessionError } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import { forFetch } from "@pawl/node/fetch";
import { forNode } from "@pawl/node/node";
import { forSvelteKit } from "@pawl/node/sveltekit";

interface Payload {
  readonly role: "admin" | "user";
}
const options: PawlOptions<Payload> = { storage: "memory:", onTokenTheft: undefined };
export const pawl = createPawl<Payload>(options);
const roleOf = ({ payload }: Session<Payload>): "admin" | "user" => payload.role;

const { handle, requireSession } = forNode(pawl);
export const server = createServer((req, res) => {
  void handle(req, res, async () => res.end(roleOf(await requireSession(req, res))));
});

export const fetch = (request: Request): Promise<Response> =>
  forFetch(pawl).handle(request, async () => new Response(roleOf(await forFetch(pawl).requireSession(request))));

export const middleware = forExpress(pawl).requireSession({ where: (session) => roleOf(session) === "admin" });
export const hooks = { handle: forSvelteKit(pawl).routes(), handleError: forSvelteKit(pawl).errors() };
export const codeOf = (error: unknown): string | undefined => (error instanceof SessionError ? error.code : undefined);
