export { openStorage } from "./storage.js";
