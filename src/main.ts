// One program, two roles; each imports only what is its own.
if (process.env['IMAGE_CHECK_ROLE'] === 'worker') {
  const { startWorker } = await import('./worker/worker.ts');
  startWorker();
} else {
  const args = process.argv.slice(2);
  // What V8 takes for the heap while modules load it does not give back, and a primary lives long.
  if (args[0] === undefined || args[0] === 'serve' || args[0].startsWith('-')) {
    (await import('./heap-flags.ts')).keepHeapSmall();
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  await runCommandLine(args);
}
