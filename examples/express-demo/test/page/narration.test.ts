import { expect, it } from "vitest";
import { endingOf } from "../../src/page/narration.js";

it.each([
  ["token_reuse", "Somebody else used your session"],
  ["idle", "You were logged out after 30 minutes without activity"],
  ["logout", "You logged out elsewhere"],
  ["revoked_by_admin", "Your session was ended"],
] as const)("a session that ended for %s: %s", (reason, title) => expect(endingOf(reason, 30).title).toBe(title));
