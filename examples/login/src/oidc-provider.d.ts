declare module "oidc-provider" {
  import type { RequestListener } from "node:http";

  /** As far as it is used here. */
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
  }
}
