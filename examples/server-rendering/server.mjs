// Pages rendered on the server, with plain forms and without a line of script.  PORT=3000 node server.mjs
import { createPawl, nodeExchange } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import express from "express";

const pawl = createPawl({ storage: process.env.STORAGE ?? "sqlite:./sessions.db" });
const { routes, errors, createSession, getSession, signOut } = forExpress(pawl);

const page = (title, body) => `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}`;
const escape = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const button = (action, text) => `<form method="post" action="${action}"><button>${text}</button></form>`;

const app = express();
app.use(routes());

app.get("/", async (req, res) => {
  const session = await getSession(req, res);
  res.send(
    session === undefined
      ? page("Welcome", button("/login", "Log in as Ada"))
      : page(`Hello ${escape(session.userId)}`, `<a href="/orders?page=2">Orders</a>${button("/leave", "Log out")}`),
  );
});

app.get("/orders", async (req, res) => {
  const session = await getSession(req, res);
  if (session === undefined) res.redirect(303, "/");
  else res.send(page("Orders", `<p>Page ${Number(req.query.page ?? 1)} of ${escape(session.userId)}</p>`));
});

/** A page that is sent while it is made: its cookies would have to be known before its first line. */
app.get("/report", async (req, res) => {
  const read = await pawl.readSession(nodeExchange(req, res));
  if (read.status === "try_refresh")
    return res.redirect(303, `/session/refresh?return=${encodeURIComponent(req.originalUrl)}`);
  if (read.status === "none") return res.redirect(303, "/");
  res.type("html").write(page("Report", ""));
  res.end(`<p>for ${escape(read.session.userId)}</p>`);
});

app.post("/login", async (req, res) => {
  // … check the password first …
  await createSession(req, res, { userId: "Ada" });
  res.redirect(303, "/");
});

app.post("/leave", async (req, res) => {
  await signOut(req, res);
  res.redirect(303, "/");
});

app.use(errors());

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`http://localhost:${server.address().port}`);
});
process.once("SIGTERM", () => server.close(() => void pawl.close()));
