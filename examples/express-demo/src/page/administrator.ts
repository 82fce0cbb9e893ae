import type { Role } from "./answers.js";
import { changeRole } from "./demo-endpoints.js";
import type { DemoState, DemoStore } from "./demo-state.js";
import { buttonById, byId } from "./element.js";
import { roleChanged } from "./narration.js";

/** Somebody elsewhere who decides what the visitor may do. */
export class Administrator {
  readonly #store: DemoStore;

  constructor(store: DemoStore) {
    this.#store = store;
  }

  async change(role: Role): Promise<void> {
    const { session } = this.#store.state;
    if (session === undefined) return;
    await changeRole(session.handle, role);
    this.#store.show({ role, narration: roleChanged(role) });
  }
}

/** The role on the server beside what the access token says of it. */
export const drawAdministrator = ({ session, role }: DemoState): void => {
  const told = session?.claims["role"] as Role | undefined;
  byId("role").textContent = session === undefined ? "nobody" : (role ?? "");
  byId("told-role").textContent = told ?? "nothing";
  byId("roles").dataset.differ = String(session !== undefined && told !== role);
  buttonById("take-role").disabled = session === undefined || role !== "editor";
  buttonById("give-role").disabled = session === undefined || role !== "reader";
};
