export { default } from "../session/refresh.js";
