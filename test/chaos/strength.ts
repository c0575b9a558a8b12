// How bad a fault is, as a number from 0 to 1 that the seed draws, in the units of the fault.

export const at = (strength: number, least: number, most: number): number =>
  least * (most / least) ** strength;
