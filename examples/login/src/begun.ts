import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import type { Database } from "./database.js";

const LIFETIME = 5 * 60_000;

/**
 * What a browser has begun and has to bring an answer for: kept here for five minutes, named by a cookie, taken once. So an
 * answer counts in the browser that was asked, and no second time.
 * @param isSecure whether browsers come over HTTPS.
 */
export const openBegun = (database: Database, isSecure: boolean) => {
  const put = database.prepare("INSERT INTO begun VALUES (?, ?, ?)");
  const take = database.prepare("DELETE FROM begun WHERE id = ? RETURNING value, until");
  const purge = database.prepare("DELETE FROM begun WHERE until < ?");
  const nameOf = (kind: string): string => (isSecure ? `__Host-${kind}` : kind);

  return {
    put(res: Response, kind: string, value: object): void {
      purge.run(Date.now());
      const id = randomBytes(24).toString("base64url");
      put.run(id, JSON.stringify(value), Date.now() + LIFETIME);
      // Lax, as a provider sends the browser back from another site.
      res.cookie(nameOf(kind), id, { httpOnly: true, sameSite: "lax", secure: isSecure, maxAge: LIFETIME });
    },
    take<Value extends object>(req: Request, res: Response, kind: string): Partial<Value> {
      const id = new RegExp(`(?:^|; )${nameOf(kind)}=([\\w-]+)`).exec(req.get("cookie") ?? "")?.[1] ?? "";
      res.clearCookie(nameOf(kind), { secure: isSecure });
      const row = take.get(id) as { readonly value: string; readonly until: number } | undefined;
      return row === undefined || row.until < Date.now() ? {} : (JSON.parse(row.value) as Value);
    },
  };
};

export type Begun = ReturnType<typeof openBegun>;
