import type { Page, PageRequest } from "@pawl/storage";

const PER_PAGE = 1000;

/** All items of a listing of the storage, page after page. */
export const readAllPages = async <Item>(
  read: (page: PageRequest) => Promise<Page<Item>>,
): Promise<readonly Item[]> => {
  const found: Item[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await read({ limit: PER_PAGE, after });
    found.push(...items);
    after = next;
  } while (after !== undefined);
  return found;
};
