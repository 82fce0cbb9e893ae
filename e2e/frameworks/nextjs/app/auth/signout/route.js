export { POST } from "../../signout/route.js";
