// Part of the test runner's own process: it ends when its parent has, say an npm that was killed. In: nothing. What tests have
// started ends with it (children.ts).

const LOOK_MS = 500;

export default function setup(): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
