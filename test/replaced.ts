// The program broken from outside, for tests of tests: a method is replaced for as long as somebody looks.

/** Replaces a method; returns what puts the original back. */
export function replaced<T, K extends keyof T>(target: T, name: K, by: (original: T[K]) => T[K]): () => void {
  const original = target[name];
  target[name] = by(original);
  return () => {
    target[name] = original;
  };
}
