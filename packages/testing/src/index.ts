export { type Failure, type Given, type Report, simulate, type SimulationOptions } from "./simulate.js";
export type { Application } from "./application.js";
export type { Browser, BrowserRequest } from "./browser.js";
export type { FailureKind } from "./story.js";
export type { ThiefName } from "./world.js";
