import { errors, routes } from "#lib/server/session.js";

export const handle = routes();
export const handleError = errors();
