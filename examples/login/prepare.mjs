// Before `npm start`: installs and builds what is missing, so that one command is enough in a fresh clone.
import { existsSync } from "node:fs";
import { build, installPackageOf, run } from "../../scripts/run.mjs";

if (!existsSync(new URL("../../node_modules", import.meta.url))) run("npm", "ci");
installPackageOf("examples/login");
build();
run("npx", "tsc", "-b", "examples/login");
