import type { JSX } from "preact";
import { Answered, Pager } from "../parts/basics.js";
import { SessionRow } from "../parts/session-row.js";
import { usePages, useQuery } from "../query.js";
import { href, type Route, storyHref, userHref } from "../route.js";

const LIMIT = 25;
const fields = [
  ["User id", "user", 512],
  ["Tenant", "tenant", 64],
  ["or session handle", "handle", 256],
] as const;

const go = (event: SubmitEvent): void => {
  event.preventDefault();
  const form = new FormData(event.currentTarget as HTMLFormElement);
  const text = (name: string): string => (form.get(name) as string).trim();
  const [user, tenant, handle] = [text("user"), text("tenant"), text("handle")];
  if (handle !== "") location.hash = storyHref(handle);
  else if (user !== "") location.hash = userHref({ userId: user, tenantId: tenant === "" ? "public" : tenant });
  else location.hash = href("sessions", tenant === "" ? {} : { tenant });
};

/** All live sessions, and the way to those of a user. */
export const SessionsPage = ({ route }: { readonly route: Route }): JSX.Element => {
  const { tenant } = route.params;
  const pages = usePages(tenant ?? "");
  const query = useQuery("listSessions", { query: { tenantId: tenant, limit: LIMIT, after: pages.after } });
  return (
    <>
      <form class="search" role="search" onSubmit={go}>
        {fields.map(([label, name, maxLength]) => (
          <label key={name}>
            {label} <input name={name} maxLength={maxLength} autoComplete="off" spellcheck={false} />
          </label>
        ))}
        <button type="submit">Show</button>
      </form>
      <Answered query={query}>
        {({ sessions, next }) => (
          <>
            {sessions.length === 0 && <p>No session is live here.</p>}
            <ul class="cards">
              {sessions.map((session) => (
                <SessionRow key={session.handle} session={session} withUser />
              ))}
            </ul>
            <Pager pages={pages} next={next} />
          </>
        )}
      </Answered>
    </>
  );
};
