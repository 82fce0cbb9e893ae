import type { JSX } from "preact";
import { spanText } from "../format.js";
import { Answered, Badge, Facts, Foreign, Time } from "../parts/basics.js";
import { useQuery } from "../query.js";

/** A node says every 20 s that it is there, and reads the feed at least as often. */
const LATE = 60_000;
/** Clocks that are further apart than that make tokens look expired, or not valid yet. */
const APART = 2000;

/** The cores of the store: whether they are there, and how far they have followed the feed. */
export const NodesPage = (): JSX.Element => {
  const query = useQuery("listNodes", {});
  return (
    <Answered query={query}>
      {({ now, nodes }) => (
        <ul class="cards">
          {nodes.map(({ id, host, version, startedAt, seenAt, feedReadAt, clockAhead }) => {
            const lag = Math.max(0, seenAt - feedReadAt);
            return (
              <li key={id} class="card">
                <div class="card-head">
                  <b>
                    <Foreign text={host} />
                  </b>
                  {now - seenAt > LATE ? <Badge kind="bad">Not heard of</Badge> : <Badge kind="good">There</Badge>}
                  {lag > LATE && <Badge kind="bad">Far behind the feed</Badge>}
                  {Math.abs(clockAhead) > APART && <Badge kind="bad">Its clock is wrong</Badge>}
                </div>
                <Facts
                  facts={[
                    ["Version", version],
                    ["Started", <Time at={startedAt} />],
                    ["Heard of", `${spanText(now - seenAt)} ago`],
                    ["Had followed the feed until", `${spanText(lag)} before`],
                    ["Clock ahead of the store's", `${clockAhead} ms`],
                  ]}
                />
              </li>
            );
          })}
        </ul>
      )}
    </Answered>
  );
};
