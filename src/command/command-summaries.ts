// One line of our own for each command, shown by redis-cli's help. A command without one still works.

export const commandSummaries: Readonly<Record<string, string>> = {};
