import { testInChromium } from "./browser-scenarios.js";

testInChromium("core", []);
