import type { RouteBody } from "@pawl/protocol";
import type { JSX } from "preact";
import { call } from "../api.js";
import { reasonText, visible } from "../format.js";
import { Answered, Badge, Foreign, Pager, Time, useActs } from "../parts/basics.js";
import { SessionRow } from "../parts/session-row.js";
import { usePages, useQuery } from "../query.js";
import { href, type Route, storyHref } from "../route.js";

const LIMIT = 25;
const ENDED = 20;

const cause = { reason: "revoked_by_admin", detail: "dashboard" } as const;
const revoke = async (body: RouteBody<"revokeSessions">): Promise<string> => {
  const { revoked } = await call("revokeSessions", { body });
  if (revoked.length === 0) return "Nothing was live any more: nothing had to be ended.";
  return revoked.length === 1 ? "1 session was ended." : `${revoked.length} sessions were ended.`;
};

/** Where a user is logged in, and how to end that. */
export const UserPage = ({ route }: { readonly route: Route }): JSX.Element => {
  const { id: userId = "", tenant: tenantId = "public" } = route.params;
  const user = { userId, tenantId };
  const pages = usePages(JSON.stringify(user));
  const live = useQuery("listSessions", { query: { ...user, limit: LIMIT, after: pages.after } });
  const ended = useQuery("listEvents", { query: { ...user, type: "session_ended", limit: ENDED } });
  const { button, view } = useActs(() => {
    live.reload();
    ended.reload();
  });
  const shown = visible(userId);

  return (
    <>
      <p class="lead">
        <Foreign text={userId} />
        {tenantId !== "public" && (
          <>
            {" "}
            of tenant <Foreign text={tenantId} />
          </>
        )}
      </p>
      {view}
      <h2>Live sessions</h2>
      <Answered query={live}>
        {({ sessions, next }) => (
          <>
            {sessions.length === 0 ? (
              <p>Not logged in anywhere.</p>
            ) : (
              <p class="buttons">
                {button("End all sessions …", {
                  question: `End all sessions of ${shown}?`,
                  button: "End all sessions",
                  run: () => revoke({ ...user, ...cause }),
                })}
              </p>
            )}
            <ul class="cards">
              {sessions.map((session) => {
                const device = visible(session.device ?? "an unnamed device");
                return (
                  <SessionRow key={session.handle} session={session}>
                    <p class="buttons">
                      {button("End …", {
                        question: `End the session of ${shown} on ${device}?`,
                        button: "End this session",
                        run: () => revoke({ handles: [session.handle], ...cause }),
                      })}
                      {(sessions.length > 1 || next !== undefined) &&
                        button("End all others …", {
                          question: `End all sessions of ${shown} but that on ${device}?`,
                          button: "End all others",
                          run: () => revoke({ ...user, except: session.handle, ...cause }),
                        })}
                    </p>
                  </SessionRow>
                );
              })}
            </ul>
            <Pager pages={pages} next={next} />
          </>
        )}
      </Answered>
      <h2>Ended lately</h2>
      <Answered query={ended}>
        {({ events, next }) => (
          <>
            {events.length === 0 && <p>Nothing is known of sessions that ended.</p>}
            <ul class="lines">
              {events.map(({ key, at, handle, reason }) => (
                <li key={key}>
                  <Time at={at} />
                  <Badge kind={reason === "token_reuse" ? "bad" : "plain"}>{reasonText(reason)}</Badge>
                  {handle !== undefined && <a href={storyHref(handle)}>Its story</a>}
                </li>
              ))}
            </ul>
            {next !== undefined && (
              <a href={href("events", { user: userId, tenant: tenantId })}>All events of this user</a>
            )}
          </>
        )}
      </Answered>
    </>
  );
};
