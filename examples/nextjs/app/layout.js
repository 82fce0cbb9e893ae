import { SessionEvents } from "./session-events.js";

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <SessionEvents />
        {children}
      </body>
    </html>
  );
}
