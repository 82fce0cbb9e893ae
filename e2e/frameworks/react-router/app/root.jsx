import { Outlet } from "react-router";
import { handle } from "./session.server.js";

export const middleware = [({ request }, next) => handle(request, next)];

export default function Root() {
  return (
    <html lang="en">
      <body>
        <Outlet />
      </body>
    </html>
  );
}
