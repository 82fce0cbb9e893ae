import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Copy, Lineage, type RotationAnswer } from "./lineage.js";

const WINDOW = 30_000;
const EXCHANGE = WINDOW / 3;
const DAY = 86_400_000;

interface Exchange {
  readonly token: Copy;
  readonly deadline: number;
  /** What the server answered, once for each time the request reached it. */
  readonly answers: RotationAnswer[];
}

/** Honest tabs over one cookie jar. An exchange that starts is answered, or lost, within a third of a window. */
class Browser {
  readonly lineage = new Lineage(WINDOW);
  jar = this.lineage.login();
  exchanges: Exchange[] = [];
  readonly seen = new Set<string>();
  lostCommits = 0;

  exchange(index: number): Exchange {
    const exchange = this.exchanges[index];
    if (exchange === undefined) throw new Error("no such exchange is under way");
    return exchange;
  }

  send(): void {
    this.exchanges.push({ token: this.jar.refreshToken, deadline: this.lineage.now + EXCHANGE, answers: [] });
  }

  /** The request reaches the server; reaching it twice is a duplicated request. */
  arrive(exchange: Exchange): void {
    const before = this.lineage.row;
    const answer = this.lineage.refresh(exchange.token);
    const after = this.lineage.row;
    this.seen.add(answer.kind);
    expect(["mint", "repeat", "keep", "fast_forward"]).toContain(answer.kind);
    expect(answer.refreshToken?.seq).toBe(after.next);
    expect(answer.accessToken?.seq).toBe(after.next);
    expect(after.current).toBeGreaterThanOrEqual(before.current);
    expect(after.next).toBeGreaterThanOrEqual(before.next);
    expect(after.current).toBeLessThanOrEqual(after.next);
    exchange.answers.push(answer);
  }

  /** The answer to the first or a later arrival reaches the jar, in whatever order. */
  deliver(exchange: Exchange, whichAnswer: number): void {
    if (exchange.answers.length === 0) this.arrive(exchange);
    const answer = exchange.answers[whichAnswer % exchange.answers.length];
    if (answer?.refreshToken !== undefined && answer.accessToken !== undefined)
      this.jar = { refreshToken: answer.refreshToken, accessToken: answer.accessToken };
    this.lose(exchange);
  }

  lose(exchange: Exchange): void {
    this.exchanges = this.exchanges.filter((other) => other !== exchange);
  }

  advance(duration: number): void {
    const end = this.lineage.now + duration;
    for (const exchange of [...this.exchanges].sort((a, b) => a.deadline - b.deadline)) {
      if (exchange.deadline > end) break;
      this.lineage.now = Math.max(this.lineage.now, exchange.deadline);
      this.deliver(exchange, exchange.answers.length - 1);
    }
    this.lineage.now = end;
  }
}

/** What a person sees of a command when a run fails. */
const command = (
  name: string,
  run: (browser: Browser) => void,
  check: (browser: Browser) => boolean = () => true,
): fc.Command<object, Browser> => ({
  check: () => true,
  run: (_model, browser) => {
    if (check(browser)) run(browser);
  },
  toString: () => name,
});

const onExchange = (
  name: string,
  act: (browser: Browser, exchange: Exchange) => void,
): fc.Arbitrary<fc.Command<object, Browser>> =>
  fc.nat({ max: 3 }).map((index) =>
    command(`${name}(${index})`, (browser) => {
      const exchange = browser.exchanges[index];
      if (exchange !== undefined) act(browser, exchange);
    }),
  );

const send = (tabs: number) =>
  fc.constant(
    command(
      "send",
      (browser) => browser.send(),
      (browser) => browser.exchanges.length < tabs,
    ),
  );
const arrive = onExchange("arrive", (browser, exchange) => browser.arrive(exchange));
const deliverFirst = onExchange("deliverFirst", (browser, exchange) => browser.deliver(exchange, 0));
const deliverLast = onExchange("deliverLast", (browser, exchange) =>
  browser.deliver(exchange, exchange.answers.length - 1),
);
const lose = onExchange("lose", (browser, exchange) => browser.lose(exchange));
const use = fc.constant(command("use", (browser) => browser.lineage.use(browser.jar.accessToken)));
const advance = fc
  .constantFrom(1, WINDOW / 6, EXCHANGE, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, DAY, 30 * DAY)
  .map((duration) => command(`advance(${duration})`, (browser) => browser.advance(duration)));
const failover = fc.constant(
  command(
    "failover",
    (browser) => {
      browser.lostCommits += 1;
      browser.lineage.loseCommits(1);
    },
    (browser) => browser.lostCommits < 3,
  ),
);

const holds = (
  commands: fc.Arbitrary<fc.Command<object, Browser>>[],
  check?: (browser: Browser) => void,
): Set<string> => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 80, size: "max" }), (steps) => {
      const browser = new Browser();
      fc.modelRun(() => ({ model: {}, real: browser }), steps);
      for (const kind of browser.seen) seen.add(kind);
      check?.(browser);
    }),
    { numRuns: 600 },
  );
  return seen;
};

describe("an honest client is never taken for a thief", () => {
  it("one client that loses answers and retries after days (hazard: answer to refresh lost)", () => {
    const seen = holds([send(1), deliverFirst, lose, arrive, use, advance]);
    expect([...seen].toSorted()).toEqual(["keep", "mint", "repeat"]);
  });

  it.each([2, 3])(
    "%i tabs, reordered answers, duplicated requests, losses, late retries (hazard: two tabs)",
    (tabs) => {
      const seen = holds([send(tabs), send(tabs), arrive, deliverFirst, deliverLast, lose, use, advance], (browser) => {
        const { mints } = browser.lineage;
        // At most one new token per window, however many ask.
        for (const [index, at] of mints.entries()) expect(at - (mints[index - 1] ?? 0)).toBeGreaterThan(WINDOW);
      });
      expect([...seen].toSorted()).toEqual(["keep", "mint", "repeat"]);
    },
  );

  it.each([1, 2, 3])("%i tabs and up to three lost commits (hazard: database failover)", (tabs) => {
    const seen = holds([send(tabs), send(tabs), arrive, deliverFirst, deliverLast, lose, use, advance, failover]);
    expect(seen).toContain("fast_forward");
  });
});

describe("stragglers, step by step", () => {
  /** A browser whose first refresh was answered into the void: the row waits at (0, 1), the jar still holds 0. */
  const afterLostAnswer = (): Browser => {
    const browser = new Browser();
    browser.advance(2 * WINDOW);
    browser.send();
    const first = browser.exchange(0);
    browser.arrive(first);
    browser.lose(first);
    browser.advance(WINDOW);
    return browser;
  };

  it("a copy sealed at the window's end is not confirmed while another tab may still send its parent", () => {
    const browser = afterLostAnswer();
    browser.send();
    browser.send();
    const fast = browser.exchange(0);
    const slow = browser.exchange(1);
    browser.deliver(fast, 0);
    browser.advance(1);
    browser.send();
    browser.arrive(browser.exchange(1));
    expect(browser.lineage.row).toMatchObject({ current: 0, next: 1 });
    browser.arrive(slow);
    expect([...browser.seen]).toEqual(["mint", "repeat", "keep"]);
  });

  it("a copy displaced within a window of its sealing is still honoured when its answer arrives last", () => {
    const browser = afterLostAnswer();
    browser.send();
    const slow = browser.exchange(0);
    browser.arrive(slow);
    browser.advance(1);
    browser.send();
    browser.deliver(browser.exchange(1), 0);
    browser.deliver(slow, 0);
    expect(browser.lineage.row).toMatchObject({ current: 0, next: 2 });
    expect(browser.jar.refreshToken.seq).toBe(1);
    browser.advance(DAY);
    browser.send();
    browser.arrive(browser.exchange(0));
    expect(browser.lineage.row).toMatchObject({ current: 1, next: 3 });
  });

  it("exchanges of half a window are too long for two tabs: the parent can come back after its child was confirmed", () => {
    const lineage = new Lineage(WINDOW);
    const start = lineage.now;
    const at = (windows: number) => (token: Copy) => {
      lineage.now = start + windows * WINDOW;
      return lineage.refresh(token);
    };
    const parent = lineage.login().refreshToken;
    // Sent and answered at 1, this answer arrives at 3/2 and overwrites the child that an exchange begun at 3/4 brought.
    const kept = at(1)(parent).refreshToken as Copy;
    const child = at(5 / 4)(parent).refreshToken as Copy;
    // Sent with the child just before; its answer arrives at 2 and overwrites the parent.
    expect(at(3 / 2)(child).kind).toBe("keep");
    // Both sent at 2, one with the child and, just before, one with the parent.
    expect(at(5 / 2)(child).kind).toBe("mint");
    expect(at(5 / 2)(kept).kind).toBe("reuse");
  });

  it("whoever keeps asking inside the window cannot postpone rotation", () => {
    const browser = new Browser();
    for (let round = 0; round < 40; round++) {
      browser.send();
      browser.deliver(browser.exchange(0), 0);
      browser.advance(WINDOW / 8);
    }
    expect(browser.lineage.mints.length).toBe(4);
  });
});

describe("a store that lost commits, step by step", () => {
  it("a parent that a late answer brought back is still honoured after its child was seen again", () => {
    const browser = new Browser();
    browser.advance(DAY);
    browser.send();
    browser.deliver(browser.exchange(0), 0);
    browser.advance(DAY);
    browser.send();
    browser.send();
    browser.deliver(browser.exchange(0), 0);
    expect(browser.jar.refreshToken.seq).toBe(2);
    browser.send();
    browser.lineage.loseCommits(2);
    expect(browser.lineage.row).toMatchObject({ current: 0, next: 0 });
    browser.deliver(browser.exchange(0), 0);
    expect(browser.jar.refreshToken.seq).toBe(1);
    browser.arrive(browser.exchange(0));
    browser.lose(browser.exchange(0));
    expect(browser.lineage.row).toMatchObject({ current: 1, next: 2 });
    browser.advance(DAY);
    browser.send();
    browser.arrive(browser.exchange(0));
    expect([...browser.seen]).toEqual(["mint", "fast_forward"]);
  });
});

describe("a thief is noticed", () => {
  const party = fc.constantFrom("victim", "thief" as const);

  it("at the first refresh of the other, when uses are reported and the parties act more than a window apart", () => {
    fc.assert(
      fc.property(fc.nat({ max: 4 }), fc.array(party, { minLength: 1, maxLength: 12 }), (roundsBefore, turns) => {
        const lineage = new Lineage(WINDOW);
        let victim = lineage.login().refreshToken;
        const turn = (token: Copy): RotationAnswer => {
          lineage.now += WINDOW + 1;
          const answer = lineage.refresh(token);
          lineage.now += WINDOW + 1;
          if (answer.accessToken !== undefined) lineage.use(answer.accessToken);
          return answer;
        };
        for (let round = 0; round < roundsBefore; round++) victim = turn(victim).refreshToken ?? victim;
        const held = { victim, thief: victim };
        const first = turns[0];
        for (const who of turns) {
          const answer = turn(held[who]);
          expect(answer.kind).toBe(who === first ? "mint" : "reuse");
          if (answer.refreshToken === undefined) return;
          held[who] = answer.refreshToken;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("at the latest when a party comes back after the other refreshed, when no use is reported", () => {
    fc.assert(
      fc.property(fc.array(party, { minLength: 1, maxLength: 12 }), (turns) => {
        const lineage = new Lineage(WINDOW);
        const stolen = lineage.login().refreshToken;
        const held = { victim: stolen, thief: stolen };
        const history: string[] = [];
        for (const who of turns) {
          lineage.now += WINDOW + 1;
          const answer = lineage.refresh(held[who]);
          const own = history.lastIndexOf(who);
          const displacedSince = own >= 0 && history.length - 1 > own;
          const twoAhead = own < 0 && history.length >= 2;
          expect(answer.kind).toBe(displacedSince || twoAhead ? "reuse" : "mint");
          if (answer.refreshToken === undefined) return;
          held[who] = answer.refreshToken;
          history.push(who);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("cannot bring back a token below current, ever", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 40 * DAY }), (rounds, later) => {
        const lineage = new Lineage(WINDOW);
        const tokens = [lineage.login().refreshToken];
        for (let round = 0; round < rounds; round++) {
          lineage.now += WINDOW + 1;
          const answer = lineage.refresh(tokens.at(-1) as Copy);
          tokens.push(answer.refreshToken as Copy);
        }
        lineage.now += later;
        const dead = tokens.find((token) => token.seq < lineage.row.current);
        if (dead !== undefined) expect(lineage.refresh(dead).kind).toBe("reuse");
      }),
    );
  });
});
