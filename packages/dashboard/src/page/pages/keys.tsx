import type { RouteResponse } from "@pawl/protocol";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call } from "../api.js";
import { clockText, spanText } from "../format.js";
import { Answered, Badge, Facts, Time, useActs } from "../parts/basics.js";
import { useQuery } from "../query.js";

type Key = RouteResponse<"listSigningKeys">["keys"][number];
type Algorithm = Key["algorithm"];

const statuses = {
  next: ["plain", "Published, signs soon"],
  active: ["good", "Signs"],
  retired: ["plain", "Verifies only"],
} as const;

/** A key's life on the scale of all: from its publication on, darker from its first signature on. */
const Life = ({
  signingKey,
  from,
  to,
}: {
  readonly signingKey: Key;
  readonly from: number;
  readonly to: number;
}): JSX.Element => {
  const place = (at: number): number => (100 * (at - from)) / Math.max(1, to - from);
  const [created, signs] = [place(signingKey.createdAt), Math.min(100, place(signingKey.signsFrom))];
  return (
    <svg class="life" height="14" role="img" aria-label={`Published ${spanText(to - signingKey.createdAt)} ago`}>
      <rect class="published" x={`${created}%`} width={`${Math.max(0.5, 100 - created)}%`} height="14" rx="3" />
      <rect class={signingKey.status} x={`${signs}%`} width={`${100 - signs}%`} height="14" rx="3" />
    </svg>
  );
};

/** Signing keys, without secrets: which ones there are, and since when. */
export const KeysPage = (): JSX.Element => {
  const query = useQuery("listSigningKeys", {});
  const { ask, view } = useActs(query.reload);
  const [algorithm, setAlgorithm] = useState("");
  const rotate = async (): Promise<string> => {
    const body = algorithm === "" ? {} : { algorithm: algorithm as Algorithm };
    const key = await call("rotateSigningKey", { body });
    return `New ${key.algorithm} key ${key.kid}: published now, signs from ${clockText(key.signsFrom)}.`;
  };
  return (
    <>
      {view}
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          ask({
            question: "Add a signing key? It takes over once every verifier knows it; users stay logged in.",
            button: "Add a key",
            run: rotate,
          });
        }}
      >
        <label>
          Algorithm{" "}
          <select value={algorithm} onChange={(event) => setAlgorithm(event.currentTarget.value)}>
            <option value="">As configured</option>
            <option>ES256</option>
            <option>RS256</option>
          </select>
        </label>
        <button type="submit">Add a signing key …</button>
      </form>
      <Answered query={query}>
        {({ keys }) => {
          const [from, to] = [Math.min(...keys.map(({ createdAt }) => createdAt)), Date.now()];
          return (
            <ul class="cards">
              {keys.map((key) => {
                const [kind, text] = statuses[key.status];
                return (
                  <li key={key.kid} class="card">
                    <div class="card-head">
                      <code>{key.kid}</code>
                      <Badge kind={kind}>{text}</Badge>
                    </div>
                    <Life signingKey={key} from={from} to={to} />
                    <Facts
                      facts={[
                        ["Algorithm", key.algorithm],
                        ["Kind", key.kind],
                        ["Published", <Time at={key.createdAt} />],
                        ["Signs from", <Time at={key.signsFrom} />],
                      ]}
                    />
                  </li>
                );
              })}
            </ul>
          );
        }}
      </Answered>
    </>
  );
};
