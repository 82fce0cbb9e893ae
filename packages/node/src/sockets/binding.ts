import type { Actor, Authentication } from "@pawl/engine";
import type { SocketEnd } from "./socket-end.js";

/** What a socket's session has become. */
export interface ChangedSession<Payload extends object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  /** As it is now, frozen. */
  readonly payload: Payload;
  readonly payloadVersion: number;
  readonly auth: Authentication;
  /** Who acts for `userId`: it is their session. Absent where nobody does. */
  readonly actor?: Actor | undefined;
}

/** What an application wants to hear of a socket's session. */
export interface BindOptions<Payload extends object> {
  /**
   * The session has changed: its payload, how its user has authenticated, or whom it speaks for, and then `userId` is
   * another one. Throws, or rejects, where the socket may not go on. Without it a change closes the socket.
   */
  readonly onChange?: ((session: ChangedSession<Payload>) => unknown) | undefined;
  /** The socket is being closed, and not by its client. */
  readonly onEnd?: ((end: SocketEnd) => unknown) | undefined;
}

/** A socket that is open as long as its session lives. There may be 100,000, so it holds no more than it needs. */
export interface Binding {
  readonly handle: string;
  readonly socket: object;
  readonly onChange: BindOptions<object>["onChange"];
  readonly onEnd: BindOptions<object>["onEnd"];
  /** Of the session as the application knows it. */
  payloadVersion: number;
  /** Whom the session's owner acts for, as the application knows it. */
  actingFor: string | undefined;
  /** When it has to be asked how the session stands, in seconds since the watch began. */
  askAt: number;
}

/** Sockets that are bound, each to one session. */
export class Bindings {
  readonly #bySocket = new Map<object, Binding>();
  /** Most sessions have one. */
  readonly #byHandle = new Map<string, Binding | Set<Binding>>();

  /** Instead of an earlier one of the same socket. @returns whether there was none. */
  add(binding: Binding): boolean {
    const { socket, handle } = binding;
    const isNew = !this.deleteSocket(socket);
    this.#bySocket.set(socket, binding);
    const known = this.#byHandle.get(handle);
    if (known === undefined) this.#byHandle.set(handle, binding);
    else if (known instanceof Set) known.add(binding);
    else this.#byHandle.set(handle, new Set([known, binding]));
    return isNew;
  }

  /** @returns whether it was there. */
  delete(binding: Binding): boolean {
    const { socket, handle } = binding;
    if (this.#bySocket.get(socket) !== binding) return false;
    this.#bySocket.delete(socket);
    const known = this.#byHandle.get(handle);
    if (known instanceof Set) known.delete(binding);
    if (known === binding || (known instanceof Set && known.size === 0)) this.#byHandle.delete(handle);
    return true;
  }

  /** @returns whether it was there. */
  deleteSocket(socket: object): boolean {
    const known = this.#bySocket.get(socket);
    return known !== undefined && this.delete(known);
  }

  /** Those of a session. */
  of(handle: string): readonly Binding[] {
    const known = this.#byHandle.get(handle);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }

  [Symbol.iterator](): Iterator<Binding> {
    return this.#bySocket.values();
  }
}
