import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";

testStorage("sqlite::memory:", ({ clock, outbox }) => openStorage("sqlite::memory:", { clock, outbox }), {
  shared: false,
});
