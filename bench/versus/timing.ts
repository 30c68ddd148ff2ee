/** Runs one scenario, prints its name and notes its time. */
export type Run = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

/** Notes in `took` how many seconds the work takes. */
export async function timeScenario<Result>(
  took: Record<string, number>,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  console.log(`${name} …`);
  const from = performance.now();
  const result = await work();
  took[name] = (performance.now() - from) / 1000;
  console.log(`${name}: ${took[name].toFixed(0)} s`);
  return result;
}
