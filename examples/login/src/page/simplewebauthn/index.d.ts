// Served under this path, beside what this folder is compiled to.
export * from "@simplewebauthn/browser";
