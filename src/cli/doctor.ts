import type { Command } from 'commander';
import { diagnose } from '../setup/doctor.ts';

/** Adds `doctor`: checks whether native TensorFlow works here, and how to fix what doesn't. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check which engine this machine can run, and how to fix what keeps it from native TensorFlow')
    .action(async () => {
      const findings = await diagnose({ environment: process.env });
      for (const { ok, check, detail, fix } of findings) {
        process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${check}: ${detail}\n`);
        if (fix !== undefined) process.stdout.write(`     fix: ${fix}\n`);
      }
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
    });
}
