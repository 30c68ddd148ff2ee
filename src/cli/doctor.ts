import type { Command } from 'commander';
import { diagnose } from '../setup/doctor.ts';

/** Adds `doctor`: says what of native TensorFlow works here, and how to mend what doesn't. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('explain which engine this machine can run, and the mend where it is not native TensorFlow')
    .action(async () => {
      const findings = await diagnose({ environment: process.env });
      for (const { ok, check, detail, mend } of findings) {
        process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${check}: ${detail}\n`);
        if (mend !== undefined) process.stdout.write(`     mend: ${mend}\n`);
      }
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
    });
}
