export { served } from "../../../packages/node/test/adapters/served.js";
