/**
 * Everything that a listing gives, page after page.
 * @template T
 * @param {(page: { limit: number, after?: string }) => Promise<{ items: readonly T[], next?: string | undefined }>} read
 */
export const listAll = async (read) => {
  /** @type {T[]} */
  const found = [];
  for (let after = {}; ;) {
    const { items, next } = await read({ limit: 500, ...after });
    found.push(...items);
    if (next === undefined) return found;
    after = { after: next };
  }
};
