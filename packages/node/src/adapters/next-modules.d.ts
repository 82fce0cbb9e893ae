/**
 * What is used of Next.js, whose packages are too large to be installed for their types. By names of our own (`imports` of
 * the manifest): the bundler of Next.js replaces `next/headers`, and plain Node.js, in a test say, finds `next/headers.js` alone.
 */
declare module "#next/headers" {
  export const headers: () => Promise<Headers>;
  export const cookies: () => Promise<{ set(cookie: object): unknown }>;
}

declare module "#next/navigation" {
  export const redirect: (path: string) => never;
}

declare module "#next/server" {
  interface Init {
    readonly request?: { readonly headers: Headers };
  }
  export class NextResponse extends Response {
    static next(init?: Init): NextResponse;
    static rewrite(url: URL, init?: Init): NextResponse;
    constructor(body: undefined, init: Response);
    readonly cookies: { getAll(): readonly object[] };
  }
}
