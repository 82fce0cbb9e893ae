export { fromBetterAuth } from "./better-auth.js";
export { fromExpressSession } from "./express-session.js";
export { fromIronSession } from "./iron-session.js";
