import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Feature, sdkVersions } from "./sdk-version.js";

/** A word that the session recipe of a package holds where it has the feature. */
const words: Readonly<Record<Feature, string>> = {
  headerMode: "st-auth-mode",
  claims: "setClaimValue",
  checkDatabase: "checkDatabase",
  staticKey: "useDynamicAccessTokenSigningKey",
  withoutRequest: "createNewSessionWithoutRequestResponse",
  tenants: "tenantId",
};

describe.each(sdkVersions)("supertokens-node $version, as it lies in npm", ({ version, package: name, features }) => {
  const folder = new URL(`../../node_modules/${name}/`, import.meta.url);
  const recipe = new URL("lib/build/recipe/session/", folder);

  test("is that version", () => {
    const manifest = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as { version: string };
    expect(manifest.version).toBe(version);
  });

  test("has the features of the table, and lacks the others", () => {
    const source = readdirSync(recipe)
      .filter((file) => file.endsWith(".js"))
      .map((file) => readFileSync(new URL(file, recipe), "utf8"))
      .join("\n");
    const found = (Object.keys(words) as Feature[]).filter((feature) => source.includes(words[feature]));
    expect(new Set(found)).toEqual(features);
  });
});
