"use client";

import { useState } from "react";

export const LogIn = () => <button onClick={() => fetch("/login", { method: "POST" })}>Log in as Ada</button>;

export const LogOut = () => <button onClick={() => window.session.signOut()}>Log out</button>;

export const CallApi = () => {
  const [answer, setAnswer] = useState("");
  const call = async () => setAnswer(await (await fetch("/me", { method: "POST" })).text());
  return (
    <p>
      <button onClick={call}>Call the API</button> <output>{answer}</output>
    </p>
  );
};
