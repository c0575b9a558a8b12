// What is wrong with the links between members at the moment: something mild on all of them, and something worse on some.

import type { LinkFault, PeerProxy } from "../../bench/peer-proxy.ts";

export class Links {
  readonly #proxy: PeerProxy;
  readonly #names: readonly string[];
  #mild: LinkFault = {};
  readonly #worse = new Map<string, LinkFault>();

  constructor(proxy: PeerProxy, names: readonly string[]) {
    this.#proxy = proxy;
    this.#names = names;
  }

  /** On all links, until it is set again. */
  setAll(fault: LinkFault = {}): void {
    this.#mild = fault;
    for (const from of this.#names) for (const to of this.#names) if (from !== to) this.#apply(from, to);
  }

  /** One direction of one link. */
  set(from: string, to: string, fault?: LinkFault): void {
    if (fault === undefined) this.#worse.delete(`${from} ${to}`);
    else this.#worse.set(`${from} ${to}`, fault);
    this.#apply(from, to);
  }

  setBetween(one: string, other: string, fault?: LinkFault): void {
    this.set(one, other, fault);
    this.set(other, one, fault);
  }

  setAround(name: string, fault?: LinkFault): void {
    for (const other of this.others(name)) this.setBetween(name, other, fault);
  }

  /** Nothing passes between the two sides. */
  setApart(side: readonly string[], fault?: LinkFault): void {
    for (const one of side)
      for (const other of this.#names) if (!side.includes(other)) this.setBetween(one, other, fault);
  }

  others(name: string): string[] {
    return this.#names.filter((other) => other !== name);
  }

  reset(one: string, other: string): void {
    this.#proxy.reset(one, other);
  }

  #apply(from: string, to: string): void {
    this.#proxy.set(from, to, { ...this.#mild, ...this.#worse.get(`${from} ${to}`) });
  }
}
