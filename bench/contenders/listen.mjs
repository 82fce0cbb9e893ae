import { requestText } from "../load-plan.mjs";

/**
 * Opens a server of an Express application or a request listener on a free port of the loopback.
 * @param {{ listen: Function } } server
 * @returns {Promise<{ port: number, close: () => void }>}
 */
export const listen = (server) =>
  new Promise((resolve, reject) => {
    const listening = server.listen(0, "127.0.0.1", (/** @type {Error | undefined} */ error) => {
      if (error) reject(error);
      else resolve({ port: listening.address().port, close: () => listening.closeAllConnections() });
    });
  });

/** Requests that log so many users in, where an application has `POST /login/:user`, and then GET `/me` as each of them. */
export const visitsTo = (/** @type {number} */ users) => ({
  kind: "visits",
  logins: Array.from({ length: users }, (_, user) =>
    requestText({ method: "POST", path: `/login/user-${user}`, body: "{}" }),
  ),
  path: "/me",
});
