import type { SessionReference, SessionSelector, Storage } from "@pawl/storage";

const PER_PAGE = 1000;

/** All live sessions that a selector names, whatever their number. */
export const listReferences = async (
  storage: Pick<Storage, "listSessionReferences">,
  selector: SessionSelector,
): Promise<readonly SessionReference[]> => {
  const found: SessionReference[] = [];
  let after: string | undefined;
  do {
    const request = { limit: PER_PAGE, ...(after === undefined ? {} : { after }) };
    const page = await storage.listSessionReferences(selector, request);
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
};
