import type { RouteResponse } from "@pawl/protocol";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { reasonText } from "../format.js";
import { Answered, Badge, Facts, Foreign, Pager, Time, UserLink } from "../parts/basics.js";
import { usePages, useQuery } from "../query.js";
import { storyHref } from "../route.js";

type Event = RouteResponse<"listEvents">["events"][number];
type Owned = Event & { readonly handle: string; readonly userId: string; readonly tenantId: string };

const LIMIT = 25;
/** Sessions that a theft ends, end with the event of it, or a moment later. */
const SOON = 60_000;

const isOwned = (event: Event): event is Owned =>
  event.handle !== undefined && event.userId !== undefined && event.tenantId !== undefined;

/** What ended with a theft: asked for where somebody wants to know. */
const WhatWasDone = ({ theft: { at, userId, tenantId } }: { readonly theft: Owned }): JSX.Element => {
  const ends = useQuery("listEvents", { query: { userId, tenantId, type: "session_ended", limit: 500 } });
  return (
    <Answered query={ends}>
      {({ events }) => {
        const ended = events.filter((event) => event.reason === "token_reuse" && Math.abs(event.at - at) < SOON);
        return ended.length === 0 ? (
          <p>No session was ended: the theft was reported, and the session's owner may still be logged in.</p>
        ) : (
          <ul class="lines">
            {ended.map(({ key, at, handle, reason }) => (
              <li key={key}>
                <Time at={at} /> <span>Ended: {reasonText(reason)}</span>
                {handle !== undefined && <a href={storyHref(handle)}>Its story</a>}
              </li>
            ))}
          </ul>
        );
      }}
    </Answered>
  );
};

const Theft = ({ theft, isLive }: { readonly theft: Owned; readonly isLive: boolean | undefined }): JSX.Element => {
  const [isOpen, setOpen] = useState(false);
  const { presented, current, next } = (theft.detail ?? {}) as Readonly<Record<string, number | undefined>>;
  return (
    <li class="card">
      <div class="card-head">
        <a href={storyHref(theft.handle)} class="device">
          <Time at={theft.at} />
        </a>
        {isLive !== undefined &&
          (isLive ? <Badge kind="bad">The session is live</Badge> : <Badge kind="good">The session has ended</Badge>)}
        {theft.count > 1 && <Badge>{theft.count} times within the hour</Badge>}
      </div>
      <Facts
        facts={[
          ["User", <UserLink user={theft} />],
          ["Tenant", theft.tenantId === "public" ? undefined : <Foreign text={theft.tenantId} />],
          [
            "What was noticed",
            presented === undefined
              ? "A refresh token was used again."
              : `Refresh token no. ${presented} was used again; no. ${current} had been used, and no. ${next} handed out.`,
          ],
        ]}
      />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>What was done</summary>
        {isOpen && <WhatWasDone theft={theft} />}
      </details>
    </li>
  );
};

/** Refresh tokens that were used again: who was robbed, and what was done about it. */
export const TheftsPage = (): JSX.Element => {
  const pages = usePages("thefts");
  const query = useQuery("listEvents", { query: { type: "token_reuse", limit: LIMIT, after: pages.after } });
  const thefts = query.answer?.events.filter(isOwned) ?? [];
  const handles = thefts.map(({ handle }) => handle);
  const live = useQuery("liveSessions", handles.length === 0 ? undefined : { body: { handles } });
  const settings = useQuery("configuration", {});
  const action = settings.answer?.settings.find(({ key }) => key === "token_theft_action")?.value;
  return (
    <>
      <p>
        Somebody used a refresh token whose successor was in use already: there are two holders of one session.
        {action === undefined ? "" : ` At a theft, this core does: ${action.replace("_", " ")}.`}
      </p>
      <Answered query={query}>
        {({ next }) => (
          <>
            {thefts.length === 0 && <p>No theft is known.</p>}
            <ul class="cards">
              {thefts.map((theft) => (
                <Theft
                  key={theft.key}
                  theft={theft}
                  isLive={live.answer?.sessions.some(({ handle }) => handle === theft.handle)}
                />
              ))}
            </ul>
            <Pager pages={pages} next={next} />
          </>
        )}
      </Answered>
    </>
  );
};
