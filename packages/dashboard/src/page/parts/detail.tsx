import type { JSX } from "preact";
import { Facts, Foreign, Time } from "./basics.js";

const shown = (name: string, value: unknown): JSX.Element =>
  /^(at|until|\w+At)$/.test(name) && typeof value === "number" ? (
    <Time at={value} />
  ) : (
    <Foreign text={typeof value === "string" ? value : JSON.stringify(value)} />
  );

/** Further facts of an event, whatever they are. */
export const Detail = ({ detail }: { readonly detail: unknown }): JSX.Element | null =>
  typeof detail !== "object" || detail === null ? null : (
    <Facts facts={Object.entries(detail).map(([name, value]) => [name, shown(name, value)] as const)} />
  );
