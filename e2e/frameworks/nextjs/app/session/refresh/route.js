import { handlers } from "../../../session.js";

export const { GET, POST } = handlers();
