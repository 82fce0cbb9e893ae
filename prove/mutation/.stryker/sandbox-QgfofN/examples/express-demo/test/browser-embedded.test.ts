import { testInChromium } from "./browser-scenarios.js";

testInChromium("embedded", ["--embedded"]);
