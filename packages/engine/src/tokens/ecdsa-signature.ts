/** Bytes of each of the two numbers of a P-256 signature. */
const NUMBER_BYTES = 32;
/** A sequence of two numbers, each with two bytes before it and a zero where it would otherwise read as negative. */
const LONGEST_DER = 2 + 2 * (2 + 1 + NUMBER_BYTES);
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * An ES256 signature as a JWT has it (two numbers of 32 bytes, RFC 7518 section 3.4) in the form that OpenSSL takes
 * (DER, RFC 3279 section 2.2.3). @returns undefined for another length.
 */
export const derFromJose = (signature: Buffer): Buffer | undefined => {
  if (signature.length !== 2 * NUMBER_BYTES) return undefined;
  const der = Buffer.alloc(LONGEST_DER);
  let length = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    let start = end - NUMBER_BYTES;
    while (signature[start] === 0 && start < end - 1) start++;
    const zeros = (signature[start] as number) < 0x80 ? 0 : 1;
    der[length] = INTEGER;
    der[length + 1] = zeros + end - start;
    length += 2 + zeros;
    length += signature.copy(der, length, start, end);
  }
  der[0] = SEQUENCE;
  der[1] = length - 2;
  return der.subarray(0, length);
};

/** The way back, for what OpenSSL has just signed. */
export const joseFromDer = (der: Buffer): Buffer => {
  const signature = Buffer.alloc(2 * NUMBER_BYTES);
  let at = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const last = at + 2 + (der[at + 1] as number);
    const first = Math.max(at + 2, last - NUMBER_BYTES);
    der.copy(signature, end - (last - first), first, last);
    at = last;
  }
  return signature;
};
