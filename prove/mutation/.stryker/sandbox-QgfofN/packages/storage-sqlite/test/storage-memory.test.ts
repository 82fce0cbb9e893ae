import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";

testStorage("sqlite::memory:", ({ clock }) => openStorage("sqlite::memory:", { clock }), { shared: false });
