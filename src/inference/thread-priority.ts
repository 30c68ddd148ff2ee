/**
 * The nice value of model threads, so that the HTTP thread answers health checks and refusals while they saturate the CPU. On
 * Linux a nice value applies to the calling thread only. With 10, decoding threads left them a twentieth of the CPU: beside 12
 * connections that upload AVIFs of 3400 × 3400, the median of another client was 0.7 to 1.1 s; with 5 it is 0.4 to 0.5 s.
 */
export const threadPriority = 5;
