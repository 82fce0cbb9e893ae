import type { RouteResponse } from "@pawl/protocol";
import type { ComponentChildren, JSX } from "preact";
import { storyHref } from "../route.js";
import { Badge, Facts, Foreign, Time, UserLink } from "./basics.js";

type Session = RouteResponse<"listSessions">["sessions"][number];

/** A live session in a list: its device, what is bound to it, and when it was used. */
export const SessionRow = ({
  session,
  withUser = false,
  children,
}: {
  readonly session: Session;
  readonly withUser?: boolean;
  readonly children?: ComponentChildren;
}): JSX.Element => {
  const { handle, device, address, acting, bound, auth } = session;
  return (
    <li class="card">
      <div class="card-head">
        <a href={storyHref(handle)} class="device">
          {device === undefined || device === "" ? "Unnamed device" : <Foreign text={device} />}
        </a>
        {bound === true && <Badge kind="good">Bound to its device</Badge>}
        {acting !== undefined && <Badge>Acts for a user</Badge>}
      </div>
      <Facts
        facts={[
          ["User", withUser ? <UserLink user={session} /> : undefined],
          ["Tenant", withUser && session.tenantId !== "public" ? <Foreign text={session.tenantId} /> : undefined],
          ["Address", address === undefined ? undefined : <Foreign text={address} />],
          ["Logged in", <Time at={session.createdAt} />],
          ["Last active", <Time at={session.lastActiveAt} />],
          ["Ends by itself", <Time at={session.expiresAt} />],
          ["Authenticated by", auth.methods.length === 0 ? undefined : <Foreign text={auth.methods.join(", ")} />],
          ["Acts for", acting === undefined ? undefined : <Foreign text={`${acting.userId} (${acting.reason})`} />],
        ]}
      />
      {children}
    </li>
  );
};
