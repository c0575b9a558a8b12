// Line plots as SVG text, readable without a style sheet and on dark pages. Numbers in, text out.

/** `log`: values above 0 only. `names`: x is an index into them. */
export interface Axis {
  readonly label: string;
  readonly scale: "linear" | "log" | { readonly names: readonly string[] };
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 76;
const RIGHT = 190;
const TOP = 44;
const BOTTOM = 54;
const LEGEND_LINE = 20;
const LINEAR_STEPS = 5;
/** Okabe and Ito's: told apart also by those who do not see all colours. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** Where values go, from 0 to 1, and what is written beside the axis. */
export interface Scale {
  readonly ticks: readonly Tick[];
  place(value: number): number;
}

/** 0.05, 2, 500, 20 k, 3 M. */
export function shortNumber(value: number): string {
  for (const [unit, name] of [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ] as const) {
    if (value >= unit) return `${Number((value / unit).toPrecision(3))}${name}`;
  }
  return String(Number(value.toPrecision(3)));
}

const tickOf = (value: number): Tick => ({ value, text: shortNumber(value) });

/** From 0 to a round number that is not below the largest. */
export function linearScale(values: readonly number[]): Scale {
  const most = Math.max(...values) || 1;
  const raw = most / LINEAR_STEPS;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * unit).find((size) => size >= raw * (1 - 1e-9))!;
  const steps = Math.ceil(most / step - 1e-9);
  return {
    ticks: Array.from({ length: steps + 1 }, (_, i) => tickOf(Number((i * step).toPrecision(12)))),
    place: (value) => value / (steps * step),
  };
}

/** From a 1, 2 or 5 times a power of ten that is not above the least to one that is not below the largest. */
export function logScale(values: readonly number[]): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    for (const part of [1, 2, 5]) marks.push(Number((part * 10 ** power).toPrecision(1)));
  }
  const low = marks.filter((mark) => mark <= least).at(-1)!;
  const high = marks.find((mark) => mark >= most && mark > low)!;
  const inside = marks.filter((mark) => mark >= low && mark <= high);
  // With many decades, powers of ten say enough.
  const isPower = (mark: number): boolean => Number.isInteger(Math.round(Math.log10(mark) * 1e9) / 1e9);
  const shown = inside.length > 10 ? inside.filter(isPower) : inside;
  const range = Math.log10(high) - Math.log10(low);
  return {
    ticks: shown.map(tickOf),
    place: (value) => (Math.log10(value) - Math.log10(low)) / range,
  };
}

function namesScale(names: readonly string[]): Scale {
  const place = (index: number): number => (index + 0.5) / names.length;
  return { ticks: names.map((text, value) => ({ value, text })), place };
}

function scaleOf({ scale }: Axis, values: readonly number[]): Scale {
  if (scale === "linear") return linearScale(values);
  return scale === "log" ? logScale(values) : namesScale(scale.names);
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const pixels = (value: number): string => value.toFixed(1);

function textAt(x: number, y: number, text: string, more = ""): string {
  return `<text x="${pixels(x)}" y="${pixels(y)}"${more}>${escaped(text)}</text>`;
}

const lineAt = (x1: number, y1: number, x2: number, y2: number, colour: string): string =>
  `<line x1="${pixels(x1)}" y1="${pixels(y1)}" x2="${pixels(x2)}" y2="${pixels(y2)}" stroke="${colour}"/>`;

/** Series without points are left out; without any there is no plot. */
export function drawPlot({ title, x, y, series: all }: Plot): string | undefined {
  const series = all.filter((each) => each.points.length > 0);
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) return undefined;
  const xScale = scaleOf(
    x,
    points.map(([value]) => value),
  );
  const yScale = scaleOf(
    y,
    points.map(([, value]) => value),
  );
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const xAt = (value: number): number => LEFT + xScale.place(value) * (right - LEFT);
  const yAt = (value: number): number => bottom - yScale.place(value) * (bottom - TOP);
  const middleY = (TOP + bottom) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    textAt(LEFT, 24, title, ' font-size="15" font-weight="bold"'),
    ...yScale.ticks.flatMap(({ value, text }) => [
      lineAt(LEFT, yAt(value), right, yAt(value), "#dddddd"),
      textAt(LEFT - 8, yAt(value) + 4, text, ' text-anchor="end"'),
    ]),
    ...xScale.ticks.flatMap(({ value, text }) => [
      lineAt(xAt(value), bottom, xAt(value), bottom + 5, "#333333"),
      textAt(xAt(value), bottom + 19, text, ' text-anchor="middle"'),
    ]),
    lineAt(LEFT, bottom, right, bottom, "#333333"),
    lineAt(LEFT, TOP, LEFT, bottom, "#333333"),
    textAt((LEFT + right) / 2, HEIGHT - 12, x.label, ' text-anchor="middle"'),
    textAt(18, middleY, y.label, ` text-anchor="middle" transform="rotate(-90 18 ${pixels(middleY)})"`),
    ...series.flatMap((each, i) => seriesLines(each, i, xAt, yAt)),
    "</svg>",
    "",
  ].join("\n");
}

function seriesLines(
  { name, points }: Series,
  index: number,
  xAt: (value: number) => number,
  yAt: (value: number) => number,
): string[] {
  const colour = COLOURS[index % COLOURS.length]!;
  const places = points.map(([x, y]) => `${pixels(xAt(x))},${pixels(yAt(y))}`);
  const legendX = WIDTH - RIGHT + 16;
  const legendY = TOP + 8 + index * LEGEND_LINE;
  return [
    `<polyline points="${places.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(
      ([x, y]) => `<circle cx="${pixels(xAt(x))}" cy="${pixels(yAt(y))}" r="3.5" fill="${colour}"/>`,
    ),
    `<rect x="${legendX}" y="${legendY - 9}" width="14" height="10" fill="${colour}"/>`,
    textAt(legendX + 20, legendY, name),
  ];
}
