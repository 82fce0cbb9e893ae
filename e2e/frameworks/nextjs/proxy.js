export { proxy } from "./session.js";

export const config = { matcher: ["/pages/:path*", "/session/backchannel-logout"] };
