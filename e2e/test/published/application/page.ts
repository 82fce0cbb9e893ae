import { init } from "@pawl/web";

const session = init<{ role: "admin" | "user" }>({ apiDomain: "https://api.example.com" });
session.onEvent((event) => event.type === "ended" && location.assign("/login"));
export const role = async (): Promise<"admin" | "user" | undefined> => (await session.getPayload())?.role;
