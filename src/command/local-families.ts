// The families of commands that run on the client's own node (connection, server, ...), for the table.

import type { CommandRow } from "./types.ts";

export const localFamilies: readonly (readonly CommandRow[])[] = [];
