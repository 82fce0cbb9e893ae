const BEARER = /^Bearer +([^ ]+) *$/i;

/** The token in a header `Authorization: Bearer …` (RFC 6750 section 2.1); it may be another system's. */
export const tokenOfBearer = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
