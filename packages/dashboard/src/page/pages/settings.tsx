import type { JSX } from "preact";
import { Answered, Badge, Foreign } from "../parts/basics.js";
import { useQuery } from "../query.js";

/** The configuration in force, to be read: what was set comes first. */
export const SettingsPage = (): JSX.Element => (
  <>
    <p>
      As this core reads them; they are changed in <code>config.yaml</code> or by environment variables. Secrets are
      hidden.
    </p>
    <Answered query={useQuery("configuration", {})}>
      {({ settings }) => (
        <ul class="cards">
          {settings
            .toSorted((left, right) => Number(left.source === "default") - Number(right.source === "default"))
            .map(({ key, value, source, summary }) => (
              <li key={key} class="card">
                <div class="card-head">
                  <code>{key}</code>
                  {value === undefined ? <span class="quiet">not set</span> : <Foreign text={value} />}
                  {source !== "default" && <Badge kind="good">{source}</Badge>}
                </div>
                <p class="quiet">{summary}</p>
              </li>
            ))}
        </ul>
      )}
    </Answered>
  </>
);
