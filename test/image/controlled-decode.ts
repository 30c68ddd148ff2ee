/** A decode that ends when the test ends it. */
export function createDecode(): {
  decode: () => Promise<string>;
  hasStarted: () => boolean;
  finish: (thrown?: Error) => void;
} {
  let started = false;
  let settle: (thrown?: Error) => void = () => undefined;
  const ending = new Promise<string>((resolve, reject) => {
    settle = (thrown) => {
      if (thrown) reject(thrown);
      else resolve('raster');
    };
  });
  const decode = (): Promise<string> => {
    started = true;
    return ending;
  };
  return {
    decode,
    hasStarted: () => started,
    finish: (thrown) => {
      settle(thrown);
    },
  };
}

/** Lets all pending callbacks run. */
export function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
