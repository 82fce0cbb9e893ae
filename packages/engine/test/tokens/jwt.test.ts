import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeJsonObject, splitJwt } from "../../src/tokens/jwt.js";

describe("splitJwt", () => {
  it("takes exactly three parts", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[\w-]*$/), { maxLength: 6 }), (parts) => {
        const [header, payload, signature] = parts;
        const whole = { header, payload, signature, signed: `${header}.${payload}` };
        expect(splitJwt(parts.join("."))).toEqual(parts.length === 3 ? whole : undefined);
      }),
    );
  });
});

describe("decodeJsonObject", () => {
  const decode = (text: string): unknown => decodeJsonObject(Buffer.from(text).toString("base64url"), "base64url");

  it.each(["", "null", "true", "0", '"{}"', "[]", "[{}]", "{", "{}x", "\uFEFF{}"])("takes %j for no object", (text) => {
    expect(decode(text)).toBeUndefined();
  });

  it("gives any object as JSON does", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(decode(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("has no prototype changed by a member of that name", () => {
    const object = decode('{"__proto__":{"kid":"x"}}') as { kid?: unknown };
    expect(object.kid).toBeUndefined();
    expect(Object.keys(object)).toEqual(["__proto__"]);
  });
});
