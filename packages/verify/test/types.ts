// Compiled with the tests: what must not compile is marked.
import { createVerifier, type Verification } from "../src/index.js";

interface Payload {
  readonly role: "admin" | "reader";
}

export const check = async (request: Request): Promise<void> => {
  const { verify, close } = createVerifier<Payload>({ keys: "https://core.example.com/v1/jwks" });
  const found = await verify(request);
  // @ts-expect-error only a valid one has a session
  void found.session;
  if (found.kind === "valid") {
    found.session.payload.role satisfies "admin" | "reader";
    // @ts-expect-error a session is only read
    found.session.userId = "other";
    // @ts-expect-error a valid one has no status
    void found.status;
  } else {
    found.status satisfies 401 | 403 | 503;
    found.kind satisfies "ended" | "unknown";
  }
  (await verify("token")) satisfies Verification<Payload>;
  await verify({ method: "GET", headers: new Headers() });
  // @ts-expect-error what may be missing is for its caller to look at
  await verify(request.headers.get("authorization"));
  close();
  const untyped = await createVerifier({ keys: { keys: [] } }).verify("token");
  if (untyped.kind === "valid") untyped.session.payload["role"] satisfies unknown;
  // @ts-expect-error a duration is said
  createVerifier({ keys: "", introspect: { url: "", key: "" } });
  // @ts-expect-error there is no such option
  createVerifier({ keys: "", audiences: [] });
};
