/** What not every version of the SDK has. */
export type Feature = "headerMode" | "claims" | "checkDatabase" | "staticKey" | "withoutRequest" | "tenants";

/** A released version of `supertokens-node`, unmodified from npm. */
export interface SdkVersion {
  readonly version: string;
  /** Its name in `e2e/package.json`. */
  readonly package: string;
  /** The CDI it speaks with our core: the highest that both know. */
  readonly cdi: string;
  /** `version` in the header of its access tokens. */
  readonly tokenVersion: string;
  readonly features: ReadonlySet<Feature>;
}

/**
 * What each version has. Tests of a feature run for the versions that have it; `features.test.ts` holds that the others
 * lack it indeed.
 *
 * |        | header mode | claims | checkDatabase | static key | without request | tenants |
 * |--------|-------------|--------|---------------|------------|-----------------|---------|
 * | 9.3.1  | –           | –      | –             | –          | –               | –       |
 * | 14.1.4 | yes         | yes    | yes           | yes        | yes             | –       |
 * | 16.7.6 | yes         | yes    | yes           | yes        | yes             | yes     |
 * | 20.1.7 | yes         | yes    | yes           | yes        | yes             | yes     |
 * | 24.0.3 | yes         | yes    | yes           | yes        | yes             | yes     |
 */
const since14: readonly Feature[] = ["headerMode", "claims", "checkDatabase", "staticKey", "withoutRequest"];

const sdkVersion = (
  version: string,
  { cdi, tokenVersion, features }: Pick<SdkVersion, "cdi" | "tokenVersion"> & { readonly features: readonly Feature[] },
): SdkVersion => ({
  version,
  package: `supertokens-node-${version.split(".")[0]}`,
  cdi,
  tokenVersion,
  features: new Set(features),
});

export const sdkVersions: readonly SdkVersion[] = [
  sdkVersion("9.3.1", { cdi: "2.14", tokenVersion: "2", features: [] }),
  sdkVersion("14.1.4", { cdi: "2.21", tokenVersion: "3", features: since14 }),
  sdkVersion("16.7.6", { cdi: "4.0", tokenVersion: "5", features: [...since14, "tenants"] }),
  sdkVersion("20.1.7", { cdi: "5.1", tokenVersion: "5", features: [...since14, "tenants"] }),
  sdkVersion("24.0.3", { cdi: "5.4", tokenVersion: "5", features: [...since14, "tenants"] }),
];

export const versionsWith = (feature: Feature): readonly SdkVersion[] =>
  sdkVersions.filter(({ features }) => features.has(feature));
