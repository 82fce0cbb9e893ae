/** What each adapter's package exports. Their own types are not there yet when this package is built. */
import type { OpenStorage } from "../storage.js";
export declare const openStorage: OpenStorage;
