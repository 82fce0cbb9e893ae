import type { ServedAnswer } from "./application.js";
import { Tab } from "./browser.js";
import { HttpCache } from "./http-cache.js";
import { cookiesSetBy, isSessionToken } from "./inspection.js";
import { Jar, type RefusedCookie } from "./jar.js";
import { type Fate, type Network, quiet } from "./network.js";
import { readAccessToken } from "./session-tokens.js";
import type { Story } from "./story.js";

export interface PersonOptions {
  readonly user: string;
  readonly origin: string;
  readonly network: Network;
  readonly story: Story;
  readonly now: () => number;
  /** Who got the cookies of a session first, by handle. */
  readonly owners: Map<string, string>;
}

/** Somebody with a browser. */
export class Person {
  readonly user: string;
  readonly jar: Jar;
  readonly #cache: HttpCache;
  readonly #options: PersonOptions;
  isLoggedIn = false;
  /** The newest session that the browser got. */
  handle: string | undefined;

  constructor(options: PersonOptions) {
    this.user = options.user;
    this.jar = new Jar(options.now);
    this.#cache = new HttpCache(options.now);
    this.#options = options;
  }

  /** A tab of the browser. */
  tab(number = 1, nextFate: () => Fate = () => quiet): Tab {
    const name = `${this.user}, tab ${number}`;
    const came = (answer: ServedAnswer, refused: readonly RefusedCookie[]): void => this.#came(answer, refused);
    return this.#open({ name, nextFate, came, cache: this.#cache });
  }

  /** A page of a host beside the application's, in the same browser: its requests carry the cookies. */
  pageOfOtherOrigin(jar: Jar = this.jar): Tab {
    const { origin } = this.#options;
    const url = new URL(origin);
    const page = `${url.protocol}//evil.${url.host}`;
    return this.#open({ name: `a page of ${page} in ${this.user}'s browser`, page, jar });
  }

  /** Somebody else with these cookies. */
  stranger(name: string, jar: Jar): Tab {
    return this.#open({ name, jar });
  }

  #open(more: Partial<ConstructorParameters<typeof Tab>[0]> & { readonly name: string }): Tab {
    const { origin, network, story } = this.#options;
    const tell = (what: string): void => story.tell(what);
    const usual = { user: this.user, jar: this.jar, origin, network, tell, nextFate: () => quiet };
    return new Tab({ ...usual, came: () => undefined, ...more });
  }

  #came(answer: ServedAnswer, refused: readonly RefusedCookie[]): void {
    const { story, owners } = this.#options;
    for (const { name, value, why } of refused)
      if (isSessionToken(value)) story.blame("refused-cookie", `browsers do not take the cookie ${name}: ${why}`);
    for (const { name, value } of cookiesSetBy(answer)) {
      const { handle } = readAccessToken(value) ?? {};
      if (handle === undefined) continue;
      const owner = owners.get(handle) ?? this.user;
      owners.set(handle, owner);
      if (owner !== this.user)
        story.blame("mixed-up", `${this.user} got ${owner}'s cookie ${name}: an answer came to more than one browser`);
      this.handle = handle;
    }
  }
}
