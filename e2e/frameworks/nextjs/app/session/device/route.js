import { handlers } from "../../../session.js";

export const { POST } = handlers();
