import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import { createPawl } from "../../src/index.js";

interface Person {
  readonly role: "admin" | "user";
  readonly name: string;
}

const schemas: readonly (readonly [string, StandardSchemaV1<Person, Person>])[] = [
  ["zod", z.object({ role: z.enum(["admin", "user"]), name: z.string().trim() })],
  ["valibot", v.object({ role: v.picklist(["admin", "user"]), name: v.pipe(v.string(), v.trim()) })],
];

test.each(schemas)(
  "with %s the output is stored, and what does not fit is refused with its place",
  async (_, payload) => {
    const pawl = createPawl({ storage: "memory:", payload });
    const made = await pawl.tokens.create({ userId: "alice", payload: { role: "admin", name: " Ada " } });
    expect(made.payload).toEqual({ role: "admin", name: "Ada" });
    const wrong = { role: "root", name: "Ada" } as unknown as Person;
    await expect(pawl.sessions.updatePayload(made.handle, wrong)).rejects.toThrow(/^payload\.role: /);
    expect((await pawl.sessions.get(made.handle))?.payload).toEqual(made.payload);
    await pawl.close();
  },
);
