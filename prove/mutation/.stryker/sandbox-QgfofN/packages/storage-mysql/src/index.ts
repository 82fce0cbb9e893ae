export { openStorage } from "./open-storage.js";
