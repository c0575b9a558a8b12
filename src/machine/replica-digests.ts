// Digests of parts of the state, taken by a word of the log at the same index on every replica (docs/adr/0017). Orders
// in, digests out; whether they are equal is for the node to find out.

import { assert } from "../base/assert.ts";
import type { ReplicaDigests } from "../command/types.ts";
import { ContentDigest, digestStep } from "../store/digest.ts";
import type { Store } from "../store/store.ts";

export interface ReplicaDigest {
  /** Of the entry that ordered it. */
  readonly index: number;
  /** Where it began, and where the next begins: a database, and a hash in it; 0 = at its start. */
  readonly database: number;
  readonly from: number;
  readonly nextDatabase: number;
  readonly nextFrom: number;
  /** 16 hexadecimal digits. */
  readonly text: string;
}

export interface DigestHost {
  readonly store: Store;
  readonly sessions: { readonly settings: { readonly text: Buffer } };
  readonly appliedIndex: number;
}

export class MachineDigests implements ReplicaDigests {
  onTaken: (digest: ReplicaDigest) => void = () => {};
  readonly #host: DigestHost;

  constructor(host: DigestHost) {
    this.#host = host;
  }

  /**
   * Goes on into the next databases while there are records left to look at: small states are looked at as a whole. The
   * settings in force are in each.
   */
  take(database: number, from: number, records: number, part: number): void {
    const { store, appliedIndex: index } = this.#host;
    const { databases } = store;
    assert(database < databases.length, `a digest of database ${database} of ${databases.length}`);
    const digest = new ContentDigest();
    digest.addText(this.#host.sessions.settings.text);
    let nextDatabase = database;
    let nextFrom = from;
    do {
      const left = records - digest.records;
      nextFrom = digestStep(databases[nextDatabase]!, nextFrom, left, digest, part);
      if (nextFrom === 0) nextDatabase++;
    } while (nextFrom === 0 && nextDatabase < databases.length && digest.records < records);
    nextDatabase %= databases.length;
    this.onTaken({ index, database, from, nextDatabase, nextFrom, text: digest.text() });
  }
}
