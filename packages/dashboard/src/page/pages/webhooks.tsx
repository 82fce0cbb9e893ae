import type { JSX } from "preact";
import { call } from "../api.js";
import { typeText } from "../format.js";
import { Answered, Facts, Foreign, Pager, Time, useActs } from "../parts/basics.js";
import { usePages, useQuery } from "../query.js";
import { href, type Route, storyHref } from "../route.js";

const LIMIT = 25;

/** Where events are delivered to, and those that could not be, or are still to be. */
export const WebhooksPage = ({ route }: { readonly route: Route }): JSX.Element => {
  const state = route.params["state"] === "waiting" ? "waiting" : "dead";
  const pages = usePages(state);
  const configured = useQuery("listWebhooks", {});
  const query = useQuery("listDeliveries", { query: { state, limit: LIMIT, after: pages.after } });
  const { button, view } = useActs(query.reload);
  const act = async (
    name: "retryDelivery" | "dropDelivery",
    body: { readonly key: string; readonly webhook: string },
    done: string,
  ): Promise<string> => {
    await call(name, { body });
    return done;
  };
  return (
    <>
      <Answered query={configured}>
        {({ webhooks }) =>
          webhooks.length === 0 ? (
            <p>No webhook is configured.</p>
          ) : (
            <ul class="cards">
              {webhooks.map(({ id, origin, events }) => (
                <li key={id} class="card">
                  <b>
                    <Foreign text={origin} />
                  </b>
                  <Facts
                    facts={[
                      ["Id", id],
                      ["Events", events.map(typeText).join(", ")],
                    ]}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Answered>
      {view}
      <h2>{state === "dead" ? "Could not be delivered" : "Still to be delivered"}</h2>
      <p>
        {state === "dead" ? (
          <a href={href("webhooks", { state: "waiting" })}>Those that are still to be delivered</a>
        ) : (
          <a href={href("webhooks")}>Those that could not be delivered</a>
        )}
      </p>
      <Answered query={query}>
        {({ deliveries, next }) => (
          <>
            {deliveries.length === 0 && <p>There is none.</p>}
            <ul class="cards">
              {deliveries.map(({ event: { key, type, at, handle }, webhook, origin, dueAt, attempts, failure }) => (
                <li key={`${webhook} ${key}`} class="card">
                  <div class="card-head">
                    <b>{typeText(type)}</b>
                    <Time at={at} />
                    {handle !== undefined && <a href={storyHref(handle)}>The session's story</a>}
                  </div>
                  <Facts
                    facts={[
                      ["To", origin === undefined ? webhook : <Foreign text={`${webhook}, ${origin}`} />],
                      ["Attempts", attempts],
                      ["Next attempt", state === "dead" ? undefined : <Time at={dueAt} />],
                      ["Why", failure === undefined ? undefined : <Foreign text={failure} />],
                    ]}
                  />
                  <p class="buttons">
                    {button("Deliver now …", {
                      question: "Deliver this event to this webhook now?",
                      button: "Deliver now",
                      run: () => act("retryDelivery", { key, webhook }, "It is being delivered."),
                    })}
                    {button("Drop …", {
                      question: "Deliver this event to this webhook no more? It stays in the audit trail.",
                      button: "Drop",
                      run: () => act("dropDelivery", { key, webhook }, "It is delivered no more."),
                    })}
                  </p>
                </li>
              ))}
            </ul>
            <Pager pages={pages} next={next} />
          </>
        )}
      </Answered>
    </>
  );
};
