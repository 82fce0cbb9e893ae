import { StorageError } from "@pawl/storage";

/** One call: what it asks, and whom to tell. */
interface Call<Question, Answer> {
  readonly question: Question;
  readonly weight: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks questions of one kind together; gives the answers in their order. */
export type Ask<Question, Answer> = (questions: readonly Question[]) => Promise<readonly Answer[]>;

/** So many calls make a batch at most. */
const batchLimit = 128;

/** So many characters of text are sent with a batch at most, unless one call alone has more. */
const weightLimit = 1024 * 1024;

/**
 * Sends calls of one kind together. What arrives in one turn of the event loop makes a batch, and so does what arrives
 * while as many batches are on their way as may be. Each caller gets its own outcome: when one of a batch cannot be stored,
 * which undoes all of it, each is asked alone.
 */
export class Batch<Question, Answer> {
  readonly #ask: Ask<Question, Answer>;
  readonly #lanes: number;
  readonly #weigh: (question: Question) => number;
  #waiting: Call<Question, Answer>[] = [];
  #underway = 0;
  #scheduled = false;

  /**
   * @param options.lanes how many batches may be on their way at once.
   * @param options.weigh how many characters of text a question sends; none unless given.
   */
  constructor(
    ask: Ask<Question, Answer>,
    options: { readonly lanes: number; readonly weigh?: (question: Question) => number },
  ) {
    this.#ask = ask;
    this.#lanes = options.lanes;
    this.#weigh = options.weigh ?? (() => 0);
  }

  add(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, weight: this.#weigh(question), resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#underway >= this.#lanes) return;
    this.#scheduled = true;
    // After the poll phase: the requests of every socket that was readable in this turn end up in one batch.
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#underway < this.#lanes) void this.#send(this.#take());
    });
  }

  #take(): readonly Call<Question, Answer>[] {
    let weight = 0;
    let count = 0;
    for (const call of this.#waiting) {
      weight += call.weight;
      if (count === batchLimit || (count > 0 && weight > weightLimit)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(calls: readonly Call<Question, Answer>[]): Promise<void> {
    this.#underway += 1;
    await this.#settle(calls);
    this.#underway -= 1;
    if (this.#waiting.length > 0) this.#schedule();
  }

  async #settle(calls: readonly Call<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#ask(calls.map(({ question }) => question));
      for (const [index, call] of calls.entries()) call.resolve(answers[index] as Answer);
    } catch (error) {
      if (calls.length > 1 && error instanceof StorageError && error.code === "invalid_record")
        await Promise.all(calls.map((call) => this.#settle([call])));
      else for (const call of calls) call.reject(error);
    }
  }
}
