export { GET, POST } from "../../../session/refresh/route.js";
