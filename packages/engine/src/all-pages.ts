import { nextTurn, type Page, type PageRequest } from "@pawl/storage";

const PER_PAGE = 1000;

/** All items of a listing of the storage, page after page. */
export const readAllPages = async <Item>(
  read: (page: PageRequest) => Promise<Page<Item>>,
): Promise<readonly Item[]> => {
  const found: Item[] = [];
  let after: string | undefined;
  for (;;) {
    const { items, next } = await read({ limit: PER_PAGE, after });
    found.push(...items);
    if (next === undefined) return found;
    after = next;
    await nextTurn();
  }
};
