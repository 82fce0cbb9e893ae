import { mount } from "svelte";
import { session } from "./svelte-session.js";
import Greeting from "./Greeting.svelte";

const target = document.querySelector("main")!;
target.textContent = "";
mount(Greeting as never, { target });
Object.assign(globalThis, { session, errors: [] });
