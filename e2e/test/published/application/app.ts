import { createPawl } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";

const pawl = createPawl<{ role: "admin" | "user" }>({ storage: process.argv[2] ?? "memory:" });
const { handle, createSession, requireSession } = forFetch(pawl);

const answer = (request: Request): Promise<Response> =>
  handle(request, async () => {
    if (request.url.endsWith("/login")) await createSession(request, { userId: "alice", payload: { role: "admin" } });
    const { userId, payload } = await requireSession(request);
    return Response.json({ userId, role: payload.role });
  });

const jar = new Map<string, string>();
/** Asks as a browser would, which keeps cookies. */
const ask = async (method: string, path: string): Promise<string> => {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await answer(new Request(`http://localhost${path}`, { method, headers: { cookie } }));
  for (const line of response.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
    if (value === "") jar.delete(name);
    else jar.set(name, value);
  }
  return `${path} ${response.status}`;
};

console.log(await ask("GET", "/me"));
console.log(await ask("POST", "/login"));
console.log(await ask("GET", "/me"));
console.log(await ask("POST", "/session/refresh"));
console.log(await ask("GET", "/me"));
console.log(await ask("POST", "/signout"));
console.log(await ask("GET", "/me"));
await pawl.close();
