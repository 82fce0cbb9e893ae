import { handle } from "./session.js";

export const onRequest = ({ request }, next) => handle(request, next);
