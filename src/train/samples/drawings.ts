import type { Size } from '../../image/types.ts';
import type { Random } from './random.ts';
import { drawBetween, drawLogBetween } from './random.ts';

/** Draws a page of writing as SVG: strokes grouped in words and lines, which need no font. */
export function drawPage(random: Random, { width, height }: Size): string {
  const paper = drawGrey(random, 225, 255);
  const ink = drawGrey(random, 0, 70);
  const side = Math.max(width, height);
  const size = drawLogBetween(random, 0.012, 0.035) * side;
  const margin = drawBetween(random, 0.03, 0.12) * width;
  const lines: string[] = [];
  for (let y = margin; y < height - margin; y += size * drawBetween(random, 1.5, 1.8)) {
    if (random() < 0.12) continue;
    const end = random() < 0.2 ? drawBetween(random, 0.3, 0.8) * width : width - margin;
    lines.push(drawLine(random, margin, y, end, size));
  }
  return toSvg({ width, height }, paper, [toStrokes(lines, ink, Math.max(0.8, size * 0.13))]);
}

/** Draws a screenshot: panels, buttons, writing. */
export function drawScreen(random: Random, { width, height }: Size): string {
  const isDark = random() < 0.3;
  const [back, ink] = isDark
    ? [drawGrey(random, 15, 45), drawGrey(random, 190, 240)]
    : [drawGrey(random, 235, 255), drawGrey(random, 10, 80)];
  const panels = Array.from({ length: 3 + Math.floor(random() * 9) }, () => {
    const box = drawBox(random, width, height, 0.05, 0.6);
    return `<rect ${box} rx="${(random() * 8).toFixed(1)}" fill="${drawColour(random)}"/>`;
  });
  const side = Math.max(width, height);
  const lines = Array.from({ length: 6 + Math.floor(random() * 24) }, () => {
    const size = drawLogBetween(random, 0.01, 0.03) * side;
    const from = random() * width * 0.8;
    return drawLine(random, from, random() * height, from + drawBetween(random, 0.1, 0.4) * width, size);
  });
  return toSvg({ width, height }, back, [...panels, toStrokes(lines, ink, Math.max(0.8, side * 0.0022))]);
}

/** Draws a diagram or a cartoon: outlined shapes in flat colours. */
export function drawDiagram(random: Random, { width, height }: Size): string {
  const line = drawGrey(random, 0, 60);
  const thickness = drawLogBetween(random, 0.002, 0.01) * Math.max(width, height);
  const shapes = Array.from({ length: 4 + Math.floor(random() * 16) }, () => {
    const style = `fill="${random() < 0.3 ? 'none' : drawColour(random)}" stroke="${line}" stroke-width="${thickness.toFixed(2)}"`;
    if (random() < 0.4) return `<rect ${drawBox(random, width, height, 0.04, 0.4)} ${style}/>`;
    const [x, y] = [random() * width, random() * height];
    if (random() < 0.5) {
      const radius = drawBetween(random, 0.02, 0.25) * Math.min(width, height);
      return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" ${style}/>`;
    }
    const points = Array.from({ length: 2 + Math.floor(random() * 4) }, () =>
      toPoint(random() * width, random() * height),
    );
    return `<path d="M${toPoint(x, y)}L${points.join('L')}" ${style}/>`;
  });
  return toSvg({ width, height }, random() < 0.7 ? drawGrey(random, 240, 255) : drawColour(random), shapes);
}

function drawLine(random: Random, from: number, y: number, to: number, size: number): string {
  const strokes: string[] = [];
  let x = from;
  while (x < to) {
    const letters = 1 + Math.floor(random() * 9);
    for (let letter = 0; letter < letters && x < to; letter += 1) {
      strokes.push(drawLetter(random, x, y, size));
      x += size * drawBetween(random, 0.45, 0.6);
    }
    x += size * 0.4;
  }
  return strokes.join('');
}

/** Draws two or three strokes on a small grid, which look like a letter at the size of a picture. */
function drawLetter(random: Random, x: number, y: number, size: number): string {
  const place = (): string =>
    toPoint(x + (Math.floor(random() * 3) / 2) * size * 0.4, y - (Math.floor(random() * 4) / 3) * size * 0.75);
  return random() < 0.5 ? `M${place()}L${place()}L${place()}` : `M${place()}Q${place()} ${place()}L${place()}`;
}

function toStrokes(lines: readonly string[], ink: string, thickness: number): string {
  return `<path d="${lines.join('')}" fill="none" stroke="${ink}" stroke-width="${thickness.toFixed(2)}"/>`;
}

function drawBox(random: Random, width: number, height: number, least: number, most: number): string {
  const [across, down] = [drawBetween(random, least, most) * width, drawBetween(random, least, most) * height];
  const [x, y] = [random() * (width - across), random() * (height - down)];
  return `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${across.toFixed(1)}" height="${down.toFixed(1)}"`;
}

function toSvg({ width, height }: Size, back: string, parts: readonly string[]): string {
  const size = `width="${String(width)}" height="${String(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect ${size} fill="${back}"/>${parts.join('')}</svg>`;
}

function toPoint(x: number, y: number): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function drawGrey(random: Random, low: number, high: number): string {
  const value = Math.round(drawBetween(random, low, high));
  const warmth = Math.round(drawBetween(random, -6, 6));
  return toColour(value, value - Math.abs(warmth >> 1), value - warmth);
}

function drawColour(random: Random): string {
  return toColour(random() * 255, random() * 255, random() * 255);
}

function toColour(...channels: readonly number[]): string {
  return `rgb(${channels.map((value) => Math.round(Math.min(255, Math.max(0, value)))).join(',')})`;
}
