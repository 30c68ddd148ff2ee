/** A function of one number: stored samples, 0…1, to light, or back. Light is 1 for the white of a screen. */
export type Curve = (value: number) => number;

/** What sRGB stores, to light (IEC 61966-2-1). */
export const standardCurve: Curve = (stored) =>
  stored <= 0.04045 ? stored / 12.92 : ((stored + 0.055) / 1.055) ** 2.4;

/** Light, to what sRGB stores. */
export const toStandard: Curve = (light) => (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055);

/** Light as a power of what is stored. */
export function toPowerCurve(exponent: number): Curve {
  return (stored) => stored ** exponent;
}

/** Luminance of diffuse white in HDR, in cd/m² (ITU-R BT.2408, 2.1). */
const referenceWhite = 203;
/** Luminance that most HDR pictures keep below, and that HLG is graded for, in cd/m². */
const peakLuminance = 1000;
/** The same, as light. */
export const peakLight = peakLuminance / referenceWhite;

/** Perceptual quantiser (ITU-R BT.2100, table 4). */
export const quantiserCurve: Curve = (stored) => {
  const root = stored ** (1 / 78.84375);
  const part = Math.max(0, root - 0.8359375) / (18.8515625 - 18.6875 * root);
  return (10_000 / referenceWhite) * part ** (1 / 0.1593017578125);
};

/** Hybrid log-gamma (ITU-R BT.2100, table 5): light of the scene, 0…1. */
export const hybridCurve: Curve = (stored) =>
  stored <= 0.5 ? stored ** 2 / 3 : (Math.exp((stored - 0.55991073) / 0.17883277) + 0.28466892) / 12;

/** Where highlights begin to be compressed. */
const knee = 0.75;

/**
 * Brings light of up to `peakLight` into 0…1. Light below the knee is unchanged; above it is the extended curve
 * of Reinhard et al. (Photographic Tone Reproduction for Digital Images, 2002, equation 4).
 */
export function compressHighlights(light: number): number {
  if (light <= knee) return light;
  const above = (light - knee) / (1 - knee);
  const most = (peakLight - knee) / (1 - knee);
  return Math.min(1, knee + ((1 - knee) * above * (1 + above / most ** 2)) / (1 + above));
}
