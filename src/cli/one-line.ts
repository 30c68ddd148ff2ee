/** Some name every weight of a network. */
const longest = 1000;

/** Brings a message to one line; TensorFlow's run over several. */
export function toOneLine(message: string): string {
  const line = message.trim().replaceAll(/\s+/g, ' ');
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
