import { installPackageOf, run } from "../scripts/run.mjs";

/** The packages measured here, and what is loaded at run time; what they need is built with them. */
const measured = [
  "core",
  "node",
  "supertokens",
  "web",
  "storage-postgres",
  "storage-mysql",
  "storage-redis",
  "test-servers",
];

/** Builds what is measured, where it is not up to date, and installs the peers. */
export const prepare = () => {
  run("npx", "tsc", "-b", ...measured.map((name) => `packages/${name}`));
  installPackageOf("bench");
};
