export { POST } from "../../../session/device/route.js";
