import { render, type JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, closeSession, openSession } from "./api.js";
import { OverviewPage } from "./pages/overview.js";
import { SessionsPage } from "./pages/sessions.js";
import { UserPage } from "./pages/user.js";
import { StoryPage } from "./pages/story.js";
import { TheftsPage } from "./pages/thefts.js";
import { EventsPage } from "./pages/events.js";
import { KeysPage } from "./pages/keys.js";
import { NodesPage } from "./pages/nodes.js";
import { SettingsPage } from "./pages/settings.js";
import { WebhooksPage } from "./pages/webhooks.js";
import { CLOSED } from "./query.js";
import { href, type Route, useRoute } from "./route.js";

interface Page {
  readonly title: string;
  /** Of the page in the navigation that it belongs to. */
  readonly within?: string;
  readonly view: (props: { readonly route: Route }) => JSX.Element;
}

const pages: Readonly<Record<string, Page>> = {
  "": { title: "Overview", view: OverviewPage },
  sessions: { title: "Sessions", view: SessionsPage },
  user: { title: "User", within: "sessions", view: UserPage },
  session: { title: "Session", within: "sessions", view: StoryPage },
  thefts: { title: "Thefts", view: TheftsPage },
  events: { title: "Events", view: EventsPage },
  keys: { title: "Keys", view: KeysPage },
  nodes: { title: "Nodes", view: NodesPage },
  webhooks: { title: "Webhooks", view: WebhooksPage },
  settings: { title: "Settings", view: SettingsPage },
};

const Closed = ({ why }: { readonly why: string }): JSX.Element => (
  <main class="closed">
    <h1>Pawl</h1>
    <p role="alert">{why}</p>
    <p>
      Run <code>pawl dashboard</code> where the core's API key is, and open the link that it prints. A link works once,
      within 5 minutes, and opens the dashboard for 8 hours.
    </p>
  </main>
);

const Shell = ({ onLeave }: { readonly onLeave: () => void }): JSX.Element => {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const name = route.page in pages ? route.page : "";
  const { title, view: View } = pages[name] as Page;
  // With the new page, not after it is painted: a key pressed in between would still be the old page's.
  useLayoutEffect(() => {
    document.title = `${title} – Pawl`;
    // The keyboard goes on where the new page begins.
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
    scrollTo(0, 0);
  }, [location.hash]);
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <span class="brand">Pawl</span>
        <nav aria-label="Pages">
          <ul>
            {Object.entries(pages).flatMap(([page, { title, within }]) =>
              within === undefined
                ? [
                    <li key={page}>
                      <a
                        href={href(page)}
                        {...((pages[name]?.within ?? name) === page ? { "aria-current": "page" } : {})}
                      >
                        {title}
                      </a>
                    </li>,
                  ]
                : [],
            )}
          </ul>
        </nav>
        <button type="button" onClick={onLeave}>
          Close session
        </button>
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <h1>{title}</h1>
        <View key={name} route={route} />
      </main>
    </>
  );
};

const NOT_OPEN = "The dashboard is not open in this browser.";

/** The link that brought the browser here, which is taken out of the address at once. */
const takeLink = (): string | undefined => {
  const link = /^#link=([\w-]+)$/.exec(location.hash)?.[1];
  if (link !== undefined) history.replaceState(null, "", location.pathname);
  return link;
};

const App = (): JSX.Element => {
  const [closed, setClosed] = useState<string>();
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const close = (): void => setClosed(NOT_OPEN);
    const open = async (): Promise<void> => {
      const link = takeLink();
      if (link === undefined) return setReady(true);
      setClosed(undefined);
      setReady(false);
      try {
        await openSession(link);
      } catch (error) {
        const isRefused = error instanceof ApiError && error.code === "unauthorised";
        setClosed(isRefused ? "This link was used already, or it is too old." : (error as Error).message);
      }
      setReady(true);
    };
    // A second link, pasted into the same tab, changes the fragment alone.
    const changed = (): void => void (location.hash.startsWith("#link=") && open());
    addEventListener(CLOSED, close);
    addEventListener("hashchange", changed);
    void open();
    return () => {
      removeEventListener(CLOSED, close);
      removeEventListener("hashchange", changed);
    };
  }, []);
  const leave = async (): Promise<void> => {
    try {
      await closeSession();
      setClosed("The session of the dashboard was closed.");
    } catch (error) {
      setClosed(`${(error as Error).message} The session may still be open.`);
    }
  };
  if (closed !== undefined) return <Closed why={closed} />;
  return isReady ? <Shell onLeave={() => void leave()} /> : <main />;
};

render(<App />, document.getElementById("root") as HTMLElement);
