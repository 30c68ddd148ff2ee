/** Some messages list every weight of a network. */
const longest = 1000;

/** Joins a message into one line; TensorFlow's have several. */
export function toOneLine(message: string): string {
  const line = message.trim().replaceAll(/\s+/g, ' ');
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
