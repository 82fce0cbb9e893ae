import { route } from "@react-router/dev/routes";

const kit = "public login me maybe save vault confirm act slow throws redirect stream leave".split(" ");

export default [
  ...kit.map((name) => route(name, `routes/${name}.js`)),
  route("users/:id", "routes/users.js"),
  route("account", "routes/account.jsx"),
  route("*", "routes/others.js"), // the session's own routes are answered before it
];
