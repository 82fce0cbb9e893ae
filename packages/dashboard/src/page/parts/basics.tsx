import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { clockText, exactTime, timeText, visible } from "../format.js";
import type { Pages, Query } from "../query.js";
import { userHref } from "../route.js";

type Node = JSX.Element | null;

/** A time as this browser writes it; the exact one on hovering. */
export const Time = ({ at }: { readonly at: number }): Node => (
  <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
    {timeText(at)}
  </time>
);

/** Text from elsewhere: whatever is in it, it stays text, and in its place. */
export const Foreign = ({ text }: { readonly text: string }): Node => <bdi class="foreign">{visible(text)}</bdi>;

export const UserLink = ({ user }: { readonly user: Parameters<typeof userHref>[0] }): Node => (
  <a href={userHref(user)}>
    <Foreign text={user.userId} />
  </a>
);

export const Badge = ({
  kind = "plain",
  children,
}: {
  readonly kind?: "plain" | "good" | "bad";
  readonly children: ComponentChildren;
}): Node => <span class={`badge ${kind}`}>{children}</span>;

/** Names and values; those without a value are left out. */
export const Facts = ({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }): Node => (
  <dl class="facts">
    {facts
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);

/** What an answer is made into; before there is one, and when there is none any more, it says so. */
export const Answered = <Answer,>({
  query,
  children,
}: {
  readonly query: Query<Answer>;
  readonly children: (answer: Answer) => ComponentChildren;
}): JSX.Element => {
  const { answer, at, failure } = query;
  return (
    <>
      {failure !== undefined && failure.code !== "unauthorised" && (
        <p class="notice bad" role="alert">
          {failure.code === "storage_unavailable" ? "The store does not answer." : failure.message} It is asked again.
          {at === undefined ? "" : ` Shown below is what was known at ${clockText(at)}.`}
        </p>
      )}
      {answer === undefined ? failure === undefined && <p class="quiet">Loading …</p> : children(answer)}
    </>
  );
};

/** Buttons between the pages of a list. */
export const Pager = ({ pages, next }: { readonly pages: Pages; readonly next: string | undefined }): Node =>
  pages.number === 1 && next === undefined ? null : (
    <nav class="pager" aria-label="Pages of the list">
      <button type="button" disabled={pages.number === 1} onClick={() => pages.previous()}>
        Previous
      </button>
      <span aria-live="polite">Page {pages.number}</span>
      <button type="button" disabled={next === undefined} onClick={() => next !== undefined && pages.next(next)}>
        Next
      </button>
    </nav>
  );

/** Something that is done once a person has said yes to it. */
export interface Act {
  readonly question: string;
  readonly button: string;
  /** @returns what came of it, in a sentence */
  readonly run: () => Promise<string>;
}

/** Asks before an act, does it, and says what came of it. */
export const useActs = (
  done: () => void,
): { readonly ask: (act: Act) => void; readonly button: (label: string, act: Act) => Node; readonly view: Node } => {
  const [act, setAct] = useState<Act>();
  const [outcome, setOutcome] = useState<{ readonly text: string; readonly isBad: boolean }>();
  const [isRunning, setRunning] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (act !== undefined) dialog.current?.showModal();
  }, [act]);

  const run = async ({ run }: Act): Promise<void> => {
    setRunning(true);
    try {
      setOutcome({ text: await run(), isBad: false });
    } catch (error) {
      setOutcome({ text: `${(error as Error).message} Nothing is known of what was done; try again.`, isBad: true });
    }
    setRunning(false);
    dialog.current?.close();
    done();
  };

  const view = (
    <>
      <p class={outcome === undefined ? "" : `notice ${outcome.isBad ? "bad" : "good"}`} role="status">
        {outcome?.text}
      </p>
      {act !== undefined && (
        <dialog ref={dialog} aria-labelledby="question" onClose={() => setAct(undefined)}>
          <p id="question">{act.question}</p>
          <div class="buttons">
            <button type="button" disabled={isRunning} onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="button" class="danger" disabled={isRunning} onClick={() => void run(act)}>
              {act.button}
            </button>
          </div>
        </dialog>
      )}
    </>
  );
  const ask = (act: Act): void => {
    setOutcome(undefined);
    setAct(act);
  };
  const button = (label: string, act: Act): Node => (
    <button type="button" class="danger" onClick={() => ask(act)}>
      {label}
    </button>
  );
  return { ask, button, view };
};
