import { MemoryStorage } from "@pawl/storage";
import { testStorage } from "@pawl/storage-conformance";

testStorage("memory", async ({ clock }) => new MemoryStorage({ clock }), { shared: false });
