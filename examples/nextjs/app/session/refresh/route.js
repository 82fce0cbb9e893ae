import { withSessions } from "../../../session.js";

export const GET = withSessions();
export const POST = withSessions();
