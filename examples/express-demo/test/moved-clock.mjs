// Loaded into the demo before its own code: its clock jumps ahead by what its parent sends, in ms.
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
process.on("message", (by) => {
  ahead += Number(by);
  process.send?.("moved");
});
// The channel must not keep the demo alive.
process.channel?.unref();
