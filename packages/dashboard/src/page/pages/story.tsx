import type { RouteResponse } from "@pawl/protocol";
import type { JSX } from "preact";
import { call } from "../api.js";
import { reasonText, typeText } from "../format.js";
import { Answered, Badge, Foreign, useActs, UserLink } from "../parts/basics.js";
import { Detail } from "../parts/detail.js";
import { SessionRow } from "../parts/session-row.js";
import { type Moment, TimeLine } from "../parts/time-line.js";
import { useQuery } from "../query.js";
import type { Route } from "../route.js";

type Explanation = RouteResponse<"explainSession">;
type Session = RouteResponse<"getSession">;

const alarms = ["token_reuse", "forged_token", "fast_forward", "unproven_refresh"];

/** Of what happened in the same moment: a theft ends a session, and not the other way round. */
const order: readonly Moment["kind"][] = ["begin", "use", "other", "alarm", "end"];

const kindOf = (type: string): Moment["kind"] =>
  type === "session_ended" ? "end" : alarms.includes(type) ? "alarm" : "other";

/** Everything that is known to have happened, oldest first. */
const momentsOf = (
  { createdAt, lastActiveAt, refreshes, refreshedAt, endedAt, reason, events }: Explanation,
  session: Session | undefined,
): readonly Moment[] => {
  const moments: Moment[] = events.map(({ key, at, type, count, reason, detail }) => ({
    key,
    at,
    kind: kindOf(type),
    title: `${typeText(type)}${reason === undefined ? "" : `: ${reasonText(reason)}`}${count > 1 ? ` (${count} times within an hour)` : ""}`,
    detail: <Detail detail={detail} />,
  }));
  const add = (key: string, at: number | undefined, kind: Moment["kind"], title: string): void => {
    if (at !== undefined) moments.push({ key, at, kind, title });
  };
  add("created", createdAt, "begin", "Logged in");
  add(
    "authenticated",
    session !== undefined && session.auth.at > session.createdAt ? session.auth.at : undefined,
    "use",
    "Authenticated again",
  );
  add("refreshed", refreshedAt, "use", refreshes === 1 ? "Refreshed" : `Refreshed last, of ${refreshes} times`);
  if (lastActiveAt !== createdAt) add("active", lastActiveAt, "use", "Used last");
  if (!events.some(({ type }) => type === "session_ended"))
    add("ended", endedAt, "end", `Ended: ${reasonText(reason)}`);
  return moments.toSorted((left, right) => left.at - right.at || order.indexOf(left.kind) - order.indexOf(right.kind));
};

const statuses = { live: ["good", "Live"], ended: ["bad", "Ended"], unknown: ["plain", "Unknown"] } as const;

/** What became of one session, and why. */
export const StoryPage = ({ route }: { readonly route: Route }): JSX.Element => {
  const { handle = "" } = route.params;
  const told = useQuery("explainSession", { handle });
  const live = useQuery("getSession", told.answer?.status === "live" ? { handle } : undefined);
  const { button, view } = useActs(told.reload);
  const session = told.answer?.status === "live" ? live.answer : undefined;
  const end = async (): Promise<string> => {
    const { revoked } = await call("revokeSessions", {
      body: { handles: [handle], reason: "revoked_by_admin", detail: "dashboard" },
    });
    return revoked.length === 0 ? "It was over already." : "The session was ended.";
  };
  return (
    <>
      <p class="lead">
        <code>
          <Foreign text={handle} />
        </code>
      </p>
      {view}
      <Answered query={told}>
        {(explanation) => {
          const { status, summary, userId } = explanation;
          const [kind, text] = statuses[status];
          const tenantId = /^[^_]*_(.+)$/.exec(handle)?.[1] ?? "public";
          return (
            <>
              <p>
                <Badge kind={kind}>{text}</Badge> <Foreign text={summary} />
              </p>
              {userId !== undefined && (
                <p>
                  User: <UserLink user={{ userId, tenantId }} />
                </p>
              )}
              {session !== undefined && (
                <ul class="cards">
                  <SessionRow session={session}>
                    <p class="buttons">
                      {button("End this session …", {
                        question: "End this session?",
                        button: "End this session",
                        run: end,
                      })}
                    </p>
                    <details>
                      <summary>Payload and data</summary>
                      <pre tabIndex={0}>
                        <Foreign text={JSON.stringify({ payload: session.payload, data: session.data })} />
                      </pre>
                    </details>
                  </SessionRow>
                </ul>
              )}
              <h2>What happened</h2>
              <TimeLine moments={momentsOf(explanation, session)} />
            </>
          );
        }}
      </Answered>
    </>
  );
};
