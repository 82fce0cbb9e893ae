// Pages rendered on the server, with plain forms and without a line of script.  PORT=3000 node server.mjs
import { createPawl } from "@pawl/supertokens";
import { sessionErrorHandler, sessionMiddleware } from "@pawl/supertokens/express";
import express from "express";

const pawl = createPawl({
  storage: process.env.STORAGE ?? "sqlite:./sessions.db",
  // Forms send no headers of their own: the browser says where a request comes from.
  csrf: "fetch-metadata",
  cookies: { secure: false, sameSite: "lax" }, // for http://localhost only: leave it out in production
});

const page = (title, body) => `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}`;
const escape = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const button = (action, text) => `<form method="post" action="${action}"><button>${text}</button></form>`;

/** Reads the session and changes nothing. A browser whose access token has ended is sent to get new cookies, and comes back. */
const withSession = async (req, res, next) => {
  req.session = await pawl.readSession(req);
  if (req.session.kind === "try_refresh")
    res.redirect(303, `/session/refresh?return=${encodeURIComponent(req.originalUrl)}`);
  else next();
};

const app = express();
app.use(sessionMiddleware({ pawl }));

app.get("/", withSession, ({ session }, res) => {
  res.send(
    session.kind === "valid"
      ? page(`Hello ${escape(session.userId)}`, `<a href="/orders?page=2">Orders</a>${button("/leave", "Log out")}`)
      : page("Welcome", button("/login", "Log in as Ada")),
  );
});

app.get("/orders", withSession, ({ session, query }, res) => {
  if (session.kind === "none") res.redirect(303, "/");
  else res.send(page("Orders", `<p>Page ${Number(query.page ?? 1)} of ${escape(session.userId)}</p>`));
});

app.post("/login", async (_req, res) => {
  // … check the password first …
  await pawl.createNewSession(res, "Ada", { role: "reader" });
  res.redirect(303, "/");
});

app.post("/leave", async (req, res) => {
  const session = await pawl.getSession(req, res, true);
  await session.signOut();
  res.redirect(303, "/");
});

app.use(sessionErrorHandler());

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`http://localhost:${server.address().port}`);
});
process.once("SIGTERM", () => server.close(() => void pawl.close()));
