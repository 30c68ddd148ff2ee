/** One handler for each type of message; `Source` is what a message came from or with. */
export type MessageHandlers<Message extends { readonly type: string }, Source> = {
  readonly [Type in Message['type']]: (message: Extract<Message, { readonly type: Type }>, source: Source) => void;
};

/** Creates the router of one direction; a type of message without a handler does not compile. */
export function createRouter<Message extends { readonly type: string }, Source>(
  handlers: MessageHandlers<Message, Source>,
): (message: Message, source: Source) => void {
  return (message, source) => {
    // TypeScript does not relate the key to the message; `MessageHandlers` does.
    const handle = handlers[message.type as Message['type']] as (message: Message, source: Source) => void;
    handle(message, source);
  };
}
