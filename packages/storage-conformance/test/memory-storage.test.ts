import { MemoryStorage } from "@pawl/storage";
import { testStorage } from "@pawl/storage-conformance";

testStorage("memory", async (options) => new MemoryStorage(options), { shared: false });
