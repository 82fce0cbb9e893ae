import { hooks } from "#lib/server/pawl.js";

export const load = async ({ fetch }) => {
  const { userId } = await (await fetch("/me")).json();
  await hooks.wait();
  return { userId };
};
