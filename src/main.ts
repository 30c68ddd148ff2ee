// One program, two roles; each imports only what is its own.
if (process.env['IMAGE_CHECK_ROLE'] === 'worker') {
  const { startWorker } = await import('./worker/worker.ts');
  startWorker();
} else {
  const args = process.argv.slice(2);
  // V8 never shrinks the heap that it grew while modules loaded, and a primary is long-lived.
  if (args[0] === undefined || args[0] === 'serve' || args[0].startsWith('-')) {
    (await import('./heap-flags.ts')).keepHeapSmall();
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  await runCommandLine(args);
}
