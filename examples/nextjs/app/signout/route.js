import { withSessions } from "../../session.js";

export const POST = withSessions();
