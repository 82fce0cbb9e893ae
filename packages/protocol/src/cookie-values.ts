/** How many values of one cookie name are looked at: a planted heap of them costs no more than these. */
export const MOST_VALUES = 8;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/**
 * All values of one cookie in a `Cookie` header (RFC 6265 section 4.2.1), in their order, at most eight; percent-decoded.
 * Only looks for the name wanted, so its cost does not grow with the number of other cookies.
 */
export const cookieValues = (header: string, name: string): readonly string[] => {
  const values: string[] = [];
  for (let at = header.indexOf(name); at >= 0 && values.length < MOST_VALUES; at = header.indexOf(name, at + 1)) {
    const equals = at + name.length;
    if (header[equals] !== "=") continue;
    let before = at - 1;
    while (before >= 0 && isBlank(header.charCodeAt(before))) before--;
    if (before >= 0 && header[before] !== ";") continue;
    const end = header.indexOf(";", equals);
    values.push(decode(trim(header, equals + 1, end < 0 ? header.length : end)));
  }
  return values;
};

/** Space and tab only: a wider trim would make two different cookies alike. No pattern: it would be quadratic. */
const trim = (header: string, from: number, to: number): string => {
  let start = from;
  let end = to;
  while (start < end && isBlank(header.charCodeAt(start))) start++;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--;
  return header.slice(start, end);
};

const decode = (text: string): string => {
  const value = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};
