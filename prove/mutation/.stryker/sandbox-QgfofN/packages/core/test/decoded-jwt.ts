type Decoded = Readonly<Record<string, unknown>>;

/** Header and payload of a JWT, whichever base64 it is in; nothing is checked. */
export const decodeJwt = (token: string): { readonly header: Decoded; readonly payload: Decoded } => {
  const [header = {}, payload = {}] = token
    .split(".", 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64").toString()) as Decoded);
  return { header, payload };
};
