/** Brings a message to one line; TensorFlow's run over several. */
export function toOneLine(message: string): string {
  return message.trim().replaceAll(/\s+/g, ' ');
}
