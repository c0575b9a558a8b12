// Circles and boxes on the globe: which points are inside and how far from the middle, and which cells can hold such points.
// Degrees and metres in and out. The steps are Redis's, roundings and all: the order of cells is the order of an unsorted answer.

import { arcsine, cosine, sine } from "../base/trigonometry.ts";
import {
  cellOf,
  cellStart,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  type Point,
  STEP_MAX,
  scoreBehindCell,
  scoreOfCell,
} from "./geo-cells.ts";

const EARTH_RADIUS_METRES = 6372797.560856;
/** Half the Mercator map's width. */
const MERCATOR_METRES_MAX = 20037726.37;
const RADIAN = Math.PI / 180;
/** Degrees of latitude from which cells are taken twice and four times as large. */
const NEAR_POLE = 66;
const NEARER_POLE = 80;

export type Shape = {
  readonly middle: Point;
  /** Metres of the unit that the sizes are in. */
  readonly unitMetres: number;
} & (
  | { readonly kind: "circle"; readonly radius: number }
  | { readonly kind: "box"; readonly width: number; readonly height: number }
);

/** Along the great circle (haversine), in metres. */
export function distanceMetres(a: Point, b: Point): number {
  const latitudeA = a.latitude * RADIAN;
  const latitudeB = b.latitude * RADIAN;
  const u = sine((latitudeB - latitudeA) / 2);
  const v = sine((b.longitude * RADIAN - a.longitude * RADIAN) / 2);
  // Rounding may lead beyond 1 at opposite points.
  const chord = Math.sqrt(u * u + cosine(latitudeA) * cosine(latitudeB) * v * v);
  return 2 * EARTH_RADIUS_METRES * arcsine(Math.min(1, chord));
}

const corner: Point = { longitude: 0, latitude: 0 };

/** How far a point is from the shape's middle, in metres; -1 if it is outside. */
export function distanceInside(shape: Shape, point: Point): number {
  const { middle, unitMetres } = shape;
  if (shape.kind === "circle") {
    const distance = distanceMetres(middle, point);
    return distance > shape.radius * unitMetres ? -1 : distance;
  }
  const north = EARTH_RADIUS_METRES * Math.abs(point.latitude * RADIAN - middle.latitude * RADIAN);
  if (north > (shape.height * unitMetres) / 2) return -1;
  corner.longitude = middle.longitude;
  corner.latitude = point.latitude;
  if (distanceMetres(point, corner) > (shape.width * unitMetres) / 2) return -1;
  return distanceMetres(middle, point);
}

/** The scores [low, high) of one cell. */
export interface ScoreRange {
  readonly low: number;
  readonly high: number;
}

interface Cell {
  readonly longitudeCell: number;
  readonly latitudeCell: number;
}

/** As they are searched: the middle, then its neighbours. East and north by how many cells. */
const DIRECTIONS = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const;

/** The cells that can hold points of the shape, in the order in which Redis looks at them. */
export function cellsAround(shape: Shape): ScoreRange[] {
  const bounds = boundsOf(shape);
  let step = stepOf(shape);
  if (step > 1 && !coversBounds(shape.middle, step, bounds)) step--;
  const middle = cellAt(shape.middle, step);
  const ranges: ScoreRange[] = [];
  let last: Cell | undefined;
  DIRECTIONS.forEach(([east, north], i) => {
    if (step >= 2 && isOutside(middle, east, north, step, bounds)) return;
    const cell = neighbour(middle, east, north, step);
    // On a map of few cells neighbours are the same ones.
    if (last?.longitudeCell === cell.longitudeCell && last.latitudeCell === cell.latitudeCell) return;
    const { longitudeCell, latitudeCell } = cell;
    ranges.push({
      low: scoreOfCell(longitudeCell, latitudeCell, step),
      high: scoreBehindCell(longitudeCell, latitudeCell, step),
    });
    if (i > 0) last = cell;
  });
  return ranges;
}

interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

function boundsOf(shape: Shape): Bounds {
  const { middle, unitMetres } = shape;
  const isCircle = shape.kind === "circle";
  const height = unitMetres * (isCircle ? shape.radius : shape.height / 2);
  const width = unitMetres * (isCircle ? shape.radius : shape.width / 2);
  const up = height / EARTH_RADIUS_METRES / RADIAN;
  // Where a degree of longitude is shortest: at the end that is nearer to a pole.
  const latitude = middle.latitude < 0 ? middle.latitude - up : middle.latitude + up;
  const aside = width / EARTH_RADIUS_METRES / cosine(latitude * RADIAN) / RADIAN;
  return {
    west: middle.longitude - aside,
    east: middle.longitude + aside,
    south: middle.latitude - up,
    north: middle.latitude + up,
  };
}

/** How often the map is halved so that a cell is still as large as the shape, or nearly. */
function stepOf(shape: Shape): number {
  const radius =
    shape.kind === "circle"
      ? shape.radius
      : Math.sqrt((shape.width / 2) * (shape.width / 2) + (shape.height / 2) * (shape.height / 2));
  let metres = radius * shape.unitMetres;
  if (metres === 0) return STEP_MAX;
  let step = 1;
  for (; metres < MERCATOR_METRES_MAX; metres *= 2) step++;
  step -= 2;
  const latitude = Math.abs(shape.middle.latitude);
  if (latitude > NEAR_POLE) step--;
  if (latitude > NEARER_POLE) step--;
  return Math.min(STEP_MAX, Math.max(1, step));
}

function cellAt({ longitude, latitude }: Point, step: number): Cell {
  return {
    longitudeCell: cellOf(longitude, LONGITUDE_MAX, step),
    latitudeCell: cellOf(latitude, LATITUDE_MAX, step),
  };
}

/** Around the globe, in both directions. */
function neighbour({ longitudeCell, latitudeCell }: Cell, east: number, north: number, step: number): Cell {
  const mask = 2 ** step - 1;
  return {
    longitudeCell: east === 0 ? longitudeCell : (longitudeCell + east) & mask,
    latitudeCell: north === 0 ? latitudeCell : (latitudeCell + north) & mask,
  };
}

/** Do the neighbours on the four sides reach beyond the bounds? */
function coversBounds(middle: Point, step: number, bounds: Bounds): boolean {
  const cell = cellAt(middle, step);
  const north = neighbour(cell, 0, 1, step).latitudeCell + 1;
  const south = neighbour(cell, 0, -1, step).latitudeCell;
  const east = neighbour(cell, 1, 0, step).longitudeCell + 1;
  const west = neighbour(cell, -1, 0, step).longitudeCell;
  return (
    cellStart(north, LATITUDE_MAX, step) >= bounds.north &&
    cellStart(south, LATITUDE_MAX, step) <= bounds.south &&
    cellStart(east, LONGITUDE_MAX, step) >= bounds.east &&
    cellStart(west, LONGITUDE_MAX, step) <= bounds.west
  );
}

/** Is the neighbour in that direction of no use, because the middle cell reaches beyond the bounds there? */
function isOutside(cell: Cell, east: number, north: number, step: number, bounds: Bounds): boolean {
  const { longitudeCell, latitudeCell } = cell;
  return (
    (north < 0 && cellStart(latitudeCell, LATITUDE_MAX, step) < bounds.south) ||
    (north > 0 && cellStart(latitudeCell + 1, LATITUDE_MAX, step) > bounds.north) ||
    (east < 0 && cellStart(longitudeCell, LONGITUDE_MAX, step) < bounds.west) ||
    (east > 0 && cellStart(longitudeCell + 1, LONGITUDE_MAX, step) > bounds.east)
  );
}
