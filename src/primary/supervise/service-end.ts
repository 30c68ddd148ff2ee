import { exitCodes } from '../../errors.ts';
import type { Slot } from './slot.ts';

/**
 * Decides whether and how the service ends: all slots are down, or no slot's last worker was able to start.
 * @returns undefined while a slot may serve
 */
export function toServiceEnd(
  slots: readonly Pick<Slot, 'death' | 'isChanging' | 'isDown'>[],
): { exitCode: number; text: string } | undefined {
  const deaths = slots.map(({ death }) => death).filter((death) => death !== undefined);
  if (deaths.length < slots.length || slots.some(({ isChanging }) => isChanging)) return undefined;
  const exitCode = deaths.find((death) => death.exitCode !== undefined)?.exitCode;
  const text = [...new Set(deaths.map((death) => death.text))].join('; ');
  if (exitCode !== undefined && deaths.every((death) => death.exitCode !== undefined)) return { exitCode, text };
  const areDown = slots.every(({ isDown }) => isDown);
  return areDown ? { exitCode: exitCodes.allSlotsDown, text: `all slots are down: ${text}` } : undefined;
}
