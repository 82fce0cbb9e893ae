import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** What is in use of the heap after a collection, in bytes. */
export const heapUsed = () => {
  collect();
  return process.memoryUsage().heapUsed;
};
