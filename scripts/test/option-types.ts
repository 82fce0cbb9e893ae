import type * as core from "@pawl/core";
import type * as engine from "@pawl/engine";
import type * as engineHost from "@pawl/engine/host";
import type * as node from "@pawl/supertokens";
import type * as nodeExpress from "@pawl/supertokens/express";
import type * as nodeFetch from "@pawl/supertokens/fetch";
import type * as nodeTokens from "@pawl/supertokens/session";
import type * as nodeTesting from "@pawl/supertokens/testing";
import type * as storage from "@pawl/storage";
import type * as web from "@pawl/web";
import type * as webHeader from "@pawl/web/header";

/**
 * Compiled with the tests, never run: whatever a caller may leave out of an option or an argument may be `undefined` too,
 * so that `apiKey: process.env.KEY` compiles under `exactOptionalPropertyTypes`. New exports are covered by themselves.
 */

type Callable = (...args: never) => unknown;
type Leaf = Callable | readonly unknown[] | Date | RegExp | Headers | Uint8Array | string | number | boolean | symbol;

/** The paths of members of an input that may be left out but not be `undefined`. */
type Strict<Input, Path extends string, Depth extends readonly 0[] = []> = Depth["length"] extends 4
  ? never
  : Input extends Leaf | null | undefined
    ? never
    : {
        [Name in keyof Input & string]-?:
          | (object extends Pick<Input, Name>
              ? { readonly [_ in Name]?: Input[Name] | undefined } extends Pick<Input, Name>
                ? never
                : `${Path}.${Name}`
              : never)
          | Strict<Input[Name], `${Path}.${Name}`, [...Depth, 0]>;
      }[keyof Input & string];

type ArgumentsOf<Exported, Path extends string> = Exported extends (...args: infer Arguments) => unknown
  ? Exclude<{ [At in keyof Arguments]-?: Strict<Arguments[At], Path> }[number], undefined>
  : never;

/** Those of all functions of a module or an object. */
type Inputs<Owner> = { [Name in keyof Owner & string]: ArgumentsOf<Owner[Name], Name> }[keyof Owner & string];

/** Does not compile with any paths, and names them. */
type None<_ extends never> = true;

export declare const accepted: readonly [
  None<Inputs<typeof node>>,
  None<Inputs<typeof nodeTokens>>,
  None<Inputs<typeof nodeExpress>>,
  None<Inputs<typeof nodeFetch>>,
  None<Inputs<typeof nodeTesting>>,
  None<Inputs<node.Pawl>>,
  None<Inputs<node.Pawl["sessions"]>>,
  None<Inputs<node.Pawl["tokens"]>>,
  None<Inputs<typeof web>>,
  None<Inputs<typeof webHeader>>,
  None<Inputs<typeof core>>,
  None<Inputs<Pick<typeof engine, "createEngine" | "createAccessTokenVerifier" | "policyWith">>>,
  None<Inputs<Omit<engine.SessionEngine, "listSessions" | "listEvents">>>,
  None<Inputs<Pick<typeof engineHost, "openEngine" | "startMaintenance" | "masterKeySource">>>,
  None<Inputs<Pick<typeof storage, "openStorage">>>,
  // The check itself finds what is forgotten, at any depth, and nothing else.
  Equal<ArgumentsOf<Planted, "f">, "f.a" | "f.c.d">,
];

type Planted = (options: { readonly a?: string; readonly b?: string | undefined; readonly c: { d?: number } }) => void;
type Equal<A, B> = [A, B] extends [B, A] ? true : never;
