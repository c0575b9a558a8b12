// Loaded into a node before its own program (node --import ".../wall-clock.mjs?offsetMs=30000"): SIGUSR2 moves the
// node's wall clock by so much, and the next one moves it back. The program itself knows nothing of it: it reads the
// wall clock in src/io/system.ts, by Date.now.

const offsetMs = Number(new URL(import.meta.url).searchParams.get("offsetMs"));
const trueNow = Date.now;
let isOff = false;
Date.now = () => trueNow() + (isOff ? offsetMs : 0);
process.on("SIGUSR2", () => {
  isOff = !isOff;
});
