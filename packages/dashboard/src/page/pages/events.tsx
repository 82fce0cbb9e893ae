import type { RouteQuery } from "@pawl/protocol";
import type { JSX } from "preact";
import { eventTypes, reasonText, typeText } from "../format.js";
import { Answered, Badge, Facts, Foreign, Pager, Time, UserLink } from "../parts/basics.js";
import { Detail } from "../parts/detail.js";
import { usePages, useQuery } from "../query.js";
import { href, type Route, storyHref } from "../route.js";

const LIMIT = 25;

/** The audit trail, newest first: what happened to sessions and keys, and what administrators did. */
export const EventsPage = ({ route }: { readonly route: Route }): JSX.Element => {
  const { type, user: userId, tenant: tenantId } = route.params;
  const asked = { type: type as RouteQuery<"listEvents">["type"], userId, tenantId };
  const pages = usePages(JSON.stringify(asked));
  const query = useQuery("listEvents", { query: { ...asked, limit: LIMIT, after: pages.after } });
  const choose = (chosen: string): void => {
    location.hash = href("events", { ...route.params, type: chosen === "" ? undefined : chosen });
  };
  return (
    <>
      <p class="search">
        <label>
          Kind{" "}
          <select value={type ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">Everything</option>
            {eventTypes.map((one) => (
              <option key={one} value={one}>
                {typeText(one)}
              </option>
            ))}
          </select>
        </label>
        {userId !== undefined && (
          <span>
            Of the user <Foreign text={userId} /> <a href={href("events", { type })}>Of everybody</a>
          </span>
        )}
      </p>
      <Answered query={query}>
        {({ events, next }) => (
          <>
            {events.length === 0 && <p>Nothing of this kind is known.</p>}
            <ul class="cards">
              {events.map(({ key, at, type, count, handle, userId, tenantId = "public", reason, detail }) => (
                <li key={key} class="card">
                  <div class="card-head">
                    <b>{typeText(type)}</b>
                    {reason !== undefined && (
                      <Badge kind={reason === "token_reuse" ? "bad" : "plain"}>{reasonText(reason)}</Badge>
                    )}
                    {count > 1 && <Badge>{count} times within the hour</Badge>}
                    <Time at={at} />
                  </div>
                  <Facts
                    facts={[
                      ["User", userId === undefined ? undefined : <UserLink user={{ userId, tenantId }} />],
                      ["Session", handle === undefined ? undefined : <a href={storyHref(handle)}>Its story</a>],
                    ]}
                  />
                  <Detail detail={detail} />
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
