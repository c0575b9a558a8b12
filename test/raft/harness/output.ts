// The one output buffer of a transcript: handler text and log lines in the order they happen (FORMAT.md section 2).

export const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"] as const;
export type Level = (typeof LEVELS)[number];

export function parseLevel(name: string): Level | undefined {
  return LEVELS.find((level) => level === name.toUpperCase());
}

export class Output {
  level: Level = "DEBUG";
  text = "";

  get quiet(): boolean {
    return this.level === "NONE";
  }

  write(text: string): void {
    if (!this.quiet) this.text += text;
  }

  log(level: string, text: string): void {
    const name = parseLevel(level);
    if (name !== undefined && LEVELS.indexOf(name) >= LEVELS.indexOf(this.level))
      this.write(`${name} ${text}\n`);
  }

  /** What `body` writes is indented by two. */
  indented(body: () => void): void {
    const before = this.text;
    this.text = "";
    body();
    const lines = this.text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    this.text = before;
    for (const line of lines) this.write(`  ${line}\n`);
  }
}
