import type { TopLevelSpec } from 'vega-lite';

/** Attributes for plots inside a page; in an <img> they are useless and half of the file. */
const pageAttributes = / (?:class|role|aria-[a-z]+|pointer-events)="[^"]*"/g;

/** Draws a plot. @returns the text of an SVG file; the same plot gives the same text */
export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  // vega loads slowly, and an evaluation that fails never draws.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  const plain = svg.replaceAll(pageAttributes, '');
  return `${plain.replaceAll(/\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100))}\n`;
}
